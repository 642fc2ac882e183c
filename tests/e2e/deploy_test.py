"""What is deployed fits the programs: their flags, and the probes that a kubelet makes."""

import re
import socket
import subprocess
import urllib.error

import case
from harness import BIN, ROOT, Installation, free_port, get, wait_until


def _flags(manifest):
    """Flags of the container in a manifest, as they stand there."""
    text = (ROOT / "deploy/kubernetes/base" / manifest).read_text()
    return re.findall(r"^ +- (--[a-z-]+)", text, re.MULTILINE)


def manifests_name_known_flags():
    """Every flag of the Kubernetes base is a flag of its program."""
    for manifest, program in (("coordinator.yaml", "ddl-coordinator"), ("worker.yaml", "ddl-worker")):
        done = subprocess.run([BIN / program, "--help"], text=True, check=True,
                              stdout=subprocess.PIPE)
        flags = _flags(manifest)
        assert len(flags) > 5, flags
        unknown = [flag for flag in flags if f"{flag} " not in done.stdout]
        case.equal(unknown, [], f"flags of {manifest} that {program} does not know")


def _answers(url):
    try:
        get(url)
        return True
    except urllib.error.HTTPError as error:
        assert error.code == 503, f"{url} answered {error.code}"
        return False


def probes_answer():
    """The health port speaks HTTP/2 without TLS, and /healthz and /readyz answer on both programs."""
    with Installation() as setup:
        port = free_port()
        setup.start_coordinator("--health", f"127.0.0.1:{port}")
        setup.start_worker()
        setup.wait_workers()
        for base in (setup.http, setup.worker_http()):
            for path in ("/healthz", "/readyz", "/metrics"):
                # A daemon is ready once a heartbeat of its own was answered.
                wait_until(lambda url=base + path: _answers(url), f"{path} of {base}", limit=20)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            frame = stream.recv(9)
        case.equal(frame[3], 4, "type of the first frame: SETTINGS")


if __name__ == "__main__":
    case.main(globals())
