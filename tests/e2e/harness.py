"""Real programs on free loopback ports in a temporary folder.

An Installation owns all that it starts, ranks included, and ends it when the `with` block is left;
after a failure it first prints the end of every log. Waiting is always for a condition, with a limit.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import specs
import wire

ROOT = pathlib.Path(os.environ.get("DDL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("DDL_BINARY_DIR", ROOT / "build" / "release"))
BIN = BUILD / "bin"
SKIPPED = 77


def skip(reason):
    """Ends the test as visibly skipped."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def wait_until(condition, what, limit=60.0, interval=0.05):
    """The first true value of condition()."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s for {what}")
        time.sleep(interval)


def get(url, limit=10.0):
    with urllib.request.urlopen(url, timeout=limit) as answer:
        return answer.read().decode()


def exists(pid):
    """Whether a process runs; a zombie does not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def die_with_parent():
    """In a child: SIGKILL when this process ends, so that a killed test leaves no program behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Installation:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ddl-e2e-"))
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.checkpoints = self.folder / "checkpoints"
        self.checkpoints.mkdir()
        self.processes = {}
        self.options = {}
        self.namespaces = {}
        self.data_root = self.folder
        self.host = "127.0.0.1"
        self.ports = (free_port(), free_port())

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not SystemExit:
            self.show_logs()
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
                process.wait()
        for pid in self.rank_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if kind is None or kind is SystemExit or not os.environ.get("DDL_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept {self.folder}")

    def show_logs(self):
        for path in sorted([*self.logs.glob("*"), *self.folder.glob("*/runs/*/e*/r*/log")]):
            lines = path.read_text(errors="replace").splitlines()[-40:]
            print(f"---- {path.relative_to(self.folder)}", *lines, sep="\n")

    # Processes.

    def start(self, name, *command, namespace=None):
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        with open(self.logs / f"{name}.log", "ab") as log:
            process = subprocess.Popen([*prefix, *map(str, command)], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, cwd=self.folder,
                                       start_new_session=True, preexec_fn=die_with_parent)
        self.processes[name] = process
        self.options[name] = (command, namespace)
        return process

    def restart(self, name):
        command, namespace = self.options[name]
        return self.start(name, *command, namespace=namespace)

    def kill(self, name):
        """kill -9, and the process is gone when it returns."""
        self.processes[name].kill()
        self.processes[name].wait()

    def start_coordinator(self, *options):
        http = self.ports[1]
        state = self.folder / "coordinator"
        self.start("coordinator", BIN / "ddl-coordinator", "--listen", self.address, "--http",
                   f"127.0.0.1:{http}", "--state", state, "--bootstrap", *options)
        self.wait_ready()

    def wait_ready(self):
        process = self.processes["coordinator"]

        def ready():
            assert process.poll() is None, f"the coordinator ended with {process.returncode}"
            with contextlib.suppress(OSError):
                return get(f"{self.http}/readyz", 1.0)

        wait_until(ready, "the coordinator to be ready", 30)

    def start_worker(self, name="w1", slots=2, *options, coordinator=None, namespace=None):
        state = self.folder / name
        self.start(name, BIN / "ddl-worker", "--coordinator", coordinator or self.address, "--name",
                   name, "--slots", slots, "--http", "127.0.0.1:0", "--state", state,
                   "--data-root", self.data_root, "--checkpoint-root", self.checkpoints, *options,
                   namespace=namespace)

    def wait_workers(self, count=1):
        def ready():
            rows = self.json("workers")
            return len([row for row in rows if row["state"] == "ready"]) >= count

        wait_until(ready, f"{count} ready workers", 30)

    def worker_http(self, name="w1"):
        lines = (self.folder / name / "address").read_text().splitlines()
        return "http://" + dict(line.split("=", 1) for line in lines)["http"]

    @property
    def address(self):
        return f"{self.host}:{self.ports[0]}"

    @property
    def http(self):
        return f"http://127.0.0.1:{self.ports[1]}"

    # The command line.

    def ddl(self, *arguments, code=0, limit=120, **environment):
        """Runs `ddl` and returns its CompletedProcess; another exit code is a failure."""
        done = subprocess.run(
            [str(BIN / "ddl"), *map(str, arguments)], text=True, timeout=limit, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "DDL_ADDR": self.address, "NO_COLOR": "1", **environment})
        if code is not None and done.returncode != code:
            raise AssertionError(f"ddl {' '.join(map(str, arguments))}: exit {done.returncode}, "
                                 f"expected {code}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.ddl(*arguments, "-o", "json", **options).stdout)

    def write(self, name, spec):
        """A spec file; JSON is YAML."""
        path = self.folder / f"{name}.yaml"
        path.write_text(spec if isinstance(spec, str) else json.dumps(spec, indent=1))
        return path

    def prepare_data(self, seed=1, documents=400):
        self.write_text("text", specs.text(seed, documents))
        self.ddl("data", "prep", self.folder / "text", "--out", self.folder / "data")

    def write_text(self, name, documents):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for index, body in enumerate(documents):
            (folder / f"{index:05}.txt").write_text(body)

    def submit(self, spec, *overrides, name="spec"):
        """Ids of the runs that one submission made, in their order."""
        path = self.write(name, spec)
        return [run["id"] for run in self.json("submit", path, *overrides)]

    def wait(self, *runs, limit=180, code=0):
        self.ddl("wait", *runs, limit=limit, code=code)

    def run(self, run):
        return next(row for row in self.json("ls") if row["id"] == run)

    def series(self, run, name):
        """[(attempt, step, tokens, value)] with the value as the text that was printed."""
        lines = self.ddl("metrics", run, name, "-o", "csv").stdout.splitlines()
        assert lines[0] == "run,attempt,step,tokens,flops,active_seconds,value", lines[0]
        rows = [line.split(",") for line in lines[1:]]
        return [(int(row[1]), int(row[2]), int(row[3]), row[6]) for row in rows]

    # Ranks.

    def rank_folders(self, run, worker="w1"):
        return sorted((self.folder / worker / "runs" / run).glob("e*/r*"))

    def spool_step(self, run, worker="w1"):
        return max((wire.last_step(folder / "spool") for folder in self.rank_folders(run, worker)),
                   default=0)

    def rank_pids(self, run=""):
        """Processes of ddl-rank whose launch file lies in this installation."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                launch = next((word for word in words if word.startswith(str(self.folder))
                               and f"/runs/{run}" in word), None)
                if "ddl-rank" in words[0] and launch and exists(folder.name):
                    found.append(int(folder.name))
        return sorted(found)

    def final_weights(self, run):
        """SHA-256 of the parameters in the run's last checkpoint."""
        return specs.parameters_digest(self.last_checkpoint(run))

    def last_checkpoint(self, run):
        folders = (self.checkpoints / run).glob("e*/step-*/manifest.pb")
        return max((path.parent for path in folders), key=lambda p: int(p.name.split("-")[1]))
