"""The contract of deploy/local/quickstart.sh, with a sweep cut down to seconds.

It runs in a copy of the scripts and configurations, with the programs that are built already, so that
a quickstart of the person whose tree this is goes on undisturbed.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import case
from harness import BUILD, ROOT, exists, get

SMALL = ["train.tokens=16K", "train.global_batch_tokens=1024", "eval.every_tokens=8K",
         "eval.tokens=4K", "optim.schedule.warmup_tokens=1K"]


class Copy:
    """A root with deploy/ and configs/ whose build/release is this build."""

    def __enter__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="ddl-quickstart-"))
        for name in ("deploy", "configs"):
            shutil.copytree(ROOT / name, self.root / name)
        (self.root / "build").mkdir()
        (self.root / "build" / "release").symlink_to(BUILD)
        self.home = self.root / "build" / "quickstart"
        return self

    def __exit__(self, *_):
        self.run("stop", limit=60)
        shutil.rmtree(self.root, ignore_errors=True)

    def popen(self, *words):
        return subprocess.Popen([self.root / "deploy/local/quickstart.sh", *words], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, start_new_session=True)

    def run(self, *words, limit=300):
        process = self.popen(*words)
        out, err = process.communicate(timeout=limit)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def environment(self):
        done = subprocess.run(["bash", "-c", f"set -eu; source {self.home}/env; env"], text=True,
                              check=True, stdout=subprocess.PIPE)
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def pids(self):
        found = {path.name: int(path.read_text().split()[0])
                 for path in (self.home / "pids").glob("*")}
        return {name: pid for name, pid in found.items() if exists(pid)}


def _good(done):
    case.equal(done.returncode, 0, f"exit code\n{done.stdout}\n{done.stderr}")
    return done


def _json(copy, *words):
    done = subprocess.run([BUILD / "bin/ddl", *words, "-o", "json"], text=True, check=True,
                          stdout=subprocess.PIPE, env=copy.environment())
    return json.loads(done.stdout)


def contract():
    """It trains, compares, leaves env and report; a second run uses the same services; stop ends them."""
    with Copy() as copy:
        done = _good(copy.run(*SMALL))
        for word in ("additive", "ddl/1", "ddl/4"):
            assert word in done.stdout, f"no {word} in the comparison:\n{done.stdout}"
        assert "quickstart.sh stop" in done.stderr
        environment = copy.environment()
        assert get(environment["DDL_PROMETHEUS_URL"] + "/-/ready")
        _check_report(pathlib.Path(environment["DDL_REPORT"]))
        _check_json(copy)
        first = copy.pids()
        case.equal(sorted(first), ["coordinator", "prometheus", "worker"], "processes")
        begin = time.monotonic()
        _good(copy.run(*SMALL))
        print(f"second run: {time.monotonic() - begin:.0f} s")
        case.equal(copy.pids(), first, "processes of the second run")
        case.equal(len(_json(copy, "ls")), 18, "runs of both")
        _good(copy.run("stop"))
        case.equal([pid for pid in first.values() if exists(pid)], [], "processes after stop")


def _check_report(path):
    text = path.read_text()
    assert "<svg" in text and "</html>" in text, "the report has no curve"
    outside = re.findall(r'(?:src|href)="(https?:[^"]+)"', text)
    case.equal(outside, [], "what the report loads from elsewhere")


def _check_json(copy):
    runs = _json(copy, "ls")
    case.equal(len(runs), 9, "runs")
    for key in ("id", "name", "state", "seed", "residual", "attempts", "step", "tokens"):
        assert key in runs[0], f"ls -o json has no {key}"
    case.equal({run["state"] for run in runs}, {"succeeded"}, "states")
    arms = _json(copy, "compare", *(run["id"] for run in runs))["arms"]
    case.equal(sorted(arm["residual"] for arm in arms), ["additive", "ddl/1", "ddl/4"], "arms")
    for arm in arms:
        case.equal(arm["n"], 3, "seeds of an arm")
        values = [value["value"] for value in arm["values"]]
        assert abs(arm["mean"] - sum(values) / 3) < 1e-12 and arm["half_width"] > 0, arm
        assert int(arm["at_tokens"]) > 0, arm


def stop_ends_only_what_it_started():
    """A process that got the number of one of ours, and another user's worker, are left alone."""
    with Copy() as copy:
        other = subprocess.Popen(["sleep", "60"])
        try:
            (copy.home / "pids").mkdir(parents=True)
            boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            (copy.home / "pids" / "worker").write_text(f"{other.pid} 12345 {boot}\n")
            _good(copy.run("stop"))
            assert other.poll() is None, "stop ended a process that it had not started"
        finally:
            other.kill()
            other.wait()


def interrupted():
    """Ctrl-C in training cancels the runs, ends what was started and leaves nothing half made."""
    with Copy() as copy:
        process = copy.popen("train.tokens=50M")
        end = time.monotonic() + 120
        while not list((copy.home / "worker/runs").glob("*/e*/r*/spool")):
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.1)
        pids = copy.pids()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        case.equal(process.returncode, 130, "exit code")
        case.equal([pid for pid in pids.values() if exists(pid)], [], "processes left")
        left = subprocess.run(["pgrep", "-f", f"ddl-rank .*{copy.home}"], stdout=subprocess.PIPE)
        case.equal(left.stdout, b"", "ranks left")


def bad_arguments():
    """A missing spec and a word that is no override start nothing."""
    with Copy() as copy:
        for word in ("none.yaml", "fast"):
            done = copy.run(word)
            assert done.returncode != 0 and word in done.stderr, done
            case.equal((done.stdout, copy.home.exists()), ("", False), "output and folder")


if __name__ == "__main__":
    case.main(globals())
