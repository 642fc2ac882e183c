"""deploy/kubernetes/base renders, fits the schemas of Kubernetes and keeps our rules of safety."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("DDL_CACHE") or pathlib.Path.home() / ".cache" / "deltaworks")
SCHEMAS = CACHE / "kubernetes-validate==1.37.0"
VERSION = "1.32"
sys.path.insert(0, str(SCHEMAS))


def render():
    done = subprocess.run(["kubectl", "kustomize", ROOT / "deploy/kubernetes/base"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return list(yaml.safe_load_all(done.stdout))


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render()

    def of(self, kind):
        return {o["metadata"]["name"]: o for o in self.objects if o["kind"] == kind}

    def workloads(self):
        return {**self.of("StatefulSet"), **self.of("DaemonSet")}

    def test_every_object_fits_its_schema(self):
        for item in self.objects:
            with self.subTest(item["kind"], name=item["metadata"]["name"]):
                kubernetes_validate.validate(item, VERSION, strict=True)
        self.assertGreaterEqual(len(self.objects), 12)

    def test_the_parts_are_there(self):
        self.assertEqual(set(self.of("StatefulSet")), {"coordinator"})
        self.assertEqual(set(self.of("DaemonSet")), {"worker"})
        self.assertEqual(set(self.of("Service")), {"coordinator", "worker"})
        self.assertTrue(self.of("StatefulSet")["coordinator"]["spec"]["volumeClaimTemplates"])

    def test_pods_keep_the_restricted_standard(self):
        labels = self.of("Namespace")["ddl"]["metadata"]["labels"]
        self.assertEqual(labels["pod-security.kubernetes.io/enforce"], "restricted")
        for name, workload in self.workloads().items():
            pod = workload["spec"]["template"]["spec"]
            with self.subTest(name):
                self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
                self.assertFalse(pod["automountServiceAccountToken"])
                for key in ("hostNetwork", "hostPID", "hostIPC"):
                    self.assertFalse(pod.get(key))
                for volume in pod["volumes"]:
                    self.assertNotIn("hostPath", volume)
                for container in pod["containers"]:
                    context = container["securityContext"]
                    self.assertIs(context["allowPrivilegeEscalation"], False)
                    self.assertIs(context["readOnlyRootFilesystem"], True)
                    self.assertEqual(context["capabilities"]["drop"], ["ALL"])

    def test_the_coordinator_is_probed_by_grpc_and_workers_by_http(self):
        for name, kind in (("coordinator", "grpc"), ("worker", "httpGet")):
            container = self.workloads()[name]["spec"]["template"]["spec"]["containers"][0]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertIn(kind, container[probe], f"{name} {probe}")

    def test_probed_and_published_ports_are_ports_of_the_container(self):
        for name, workload in self.workloads().items():
            container = workload["spec"]["template"]["spec"]["containers"][0]
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            known = set(ports) | set(ports.values())
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for way in ("grpc", "httpGet"):
                    if way in container[probe]:
                        self.assertIn(container[probe][way]["port"], known)
            for port in self.of("Service")[name]["spec"]["ports"]:
                self.assertIn(port["targetPort"], known)
                self.assertEqual(port["port"], ports[port["targetPort"]])

    def test_nothing_is_allowed_that_no_policy_names(self):
        policies = self.of("NetworkPolicy")
        deny = policies["default-deny"]["spec"]
        self.assertEqual(deny["podSelector"], {})
        self.assertEqual(sorted(deny["policyTypes"]), ["Egress", "Ingress"])
        self.assertFalse(deny.get("ingress") or deny.get("egress"))
        for name, policy in policies.items():
            for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", []):
                peers = rule.get("from") or rule.get("to")
                self.assertTrue(peers, f"{name} allows everybody")
                self.assertTrue(all(peers), f"{name} allows everybody")

    def test_selectors_find_the_pods_they_mean(self):
        labels = [w["spec"]["template"]["metadata"]["labels"] for w in self.workloads().values()]
        for kind in ("Service", "NetworkPolicy"):
            for name, item in self.of(kind).items():
                spec = item["spec"]
                wanted = spec.get("selector") or spec["podSelector"].get("matchLabels", {})
                found = [have for have in labels if wanted.items() <= have.items()]
                self.assertTrue(found, f"{kind} {name} selects nothing")

    def test_credentials_come_from_the_secret(self):
        for name, workload in self.workloads().items():
            pod = workload["spec"]["template"]["spec"]
            secrets = [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v]
            self.assertEqual(secrets, ["ddl-credentials"], name)
            self.assertTrue(any("--token-file=/credentials/token" == a
                                for a in pod["containers"][0]["args"]), name)
            self.assertTrue(any(a.startswith("--tls-") for a in pod["containers"][0]["args"]), name)

    def test_a_worker_drains_before_its_grace_ends(self):
        pod = self.workloads()["worker"]["spec"]["template"]["spec"]
        init = (ROOT / "deploy/docker/ddl-worker-init").read_text()
        limit = int(init.split("DDL_DRAIN_SECONDS:-", 1)[1].split("}", 1)[0])
        self.assertLess(limit, pod["terminationGracePeriodSeconds"])
        self.assertEqual(pod["containers"][0]["command"], ["ddl-worker-init"])

    def test_a_drained_worker_delivers_before_its_state_goes(self):
        """The state goes with the pod, so that SIGTERM must be the daemon's drain, with its grace."""
        pod = self.workloads()["worker"]["spec"]["template"]["spec"]
        state = next(v for v in pod["volumes"] if v["name"] == "state")
        init = (ROOT / "deploy/docker/ddl-worker-init").read_text()
        grace = re.search(r"kDrainGrace = absl::Seconds\((\d+)\)",
                          (ROOT / "worker/agent/daemon.cc").read_text())
        limit = int(init.split("DDL_DRAIN_SECONDS:-", 1)[1].split("}", 1)[0])
        if "emptyDir" in state:
            self.assertIn('kill -USR1 "$daemon"', init)
            self.assertLess(int(grace[1]), limit)
            self.assertNotIn("preStop", pod["containers"][0].get("lifecycle", {}))


if __name__ == "__main__":
    if not shutil.which("kubectl") or not SCHEMAS.is_dir():
        print("skipped: deploy/local/install.sh kubernetes installs kubectl and the schemas")
        sys.exit(77)
    import kubernetes_validate
    import yaml
    unittest.main()
