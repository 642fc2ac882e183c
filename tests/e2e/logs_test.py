"""Logs of ranks through the service, and lines of logs as JSON."""

import json
import os
import re
import select
import signal
import subprocess

import case
import specs
import wire
from harness import BIN, Installation, wait_until


def _start(setup, *options, worker=()):
    setup.start_coordinator(*options)
    setup.start_worker("w1", 2, *worker)
    setup.prepare_data()
    setup.wait_workers()


def _follow(setup, *arguments):
    """`ddl logs -f` as a process of its own; its output goes to files."""
    out = open(setup.folder / "follow.out", "wb")
    err = open(setup.folder / "follow.err", "wb")
    return setup.processes.setdefault("follow", subprocess.Popen(
        [str(BIN / "ddl"), "logs", "-f", *arguments], stdout=out, stderr=err,
        stdin=subprocess.DEVNULL, env={**os.environ, "DDL_ADDR": setup.address}))


def _log(folder):
    return (folder / "log").read_text()


def follow_over_a_restart():
    """ddl logs -f goes on over the restart of an attempt and of the daemon, and loses no line."""
    with Installation() as setup:
        _start(setup)
        run = setup.submit(specs.tiny(steps=300))[0]
        follower = _follow(setup, run)
        wait_until(lambda: setup.spool_step(run) > 25, "step 25")
        setup.kill("w1")
        setup.restart("w1")
        wait_until(lambda: setup.spool_step(run) > 45, "step 45")
        os.kill(setup.rank_pids(run)[0], signal.SIGKILL)
        setup.wait(run)
        case.equal(follower.wait(60), 0, "exit code of the follower")
        out = (setup.folder / "follow.out").read_text()
        folders = setup.rank_folders(run)
        case.equal(len(folders), 2, "attempts")
        written = [line for folder in folders for line in _log(folder).splitlines() if line]
        assert len(written) >= 4, written
        events = [line for line in out.splitlines() if re.match(r"\S+  (info|error)  ", line)]
        case.equal([line for line in out.splitlines() if line not in events], written, "lines")
        for told in ("attempt 1 (epoch 1) failed", "attempt 2 (epoch 2) placed on w1"):
            assert any(told in line for line in events), f"{told!r} is not in {events}"
        second = out.index("attempt 2 (epoch 2) placed")
        assert second < out.index("resumed from"), "the second attempt's lines come before its start"

        plain = setup.ddl("logs", run).stdout
        assert all(line in plain.splitlines() for line in written), plain
        tail = setup.ddl("logs", run, "--tail", 1, "--grep", "val_loss").stdout
        case.equal(tail, [line for line in written if "val_loss" in line][-1] + "\n", "the tail")
        rows = setup.json("logs", run, "--rank", 0, "--grep", "val_loss")
        case.equal([row["message"] for row in rows],
                   [line for line in written if "val_loss" in line], "rows of JSON")
        at = {line: number for number, folder in enumerate(folders, 1)
              for line in _log(folder).splitlines()}
        case.equal([row["attempt"] for row in rows], [at[row["message"]] for row in rows], "attempts")


def slow_reader():
    """A reader that does not read is cut off with the reason; a quick one gets all of it."""
    with Installation() as setup:
        _start(setup, "--log-reader-seconds", 1)
        run = setup.submit(specs.tiny(steps=4000))[0]
        wait_until(lambda: setup.spool_step(run) > 1, "a first step")
        line = "x" * 99 + "\n"
        with open(setup.rank_folders(run)[0] / "log", "a") as log:
            log.write(line * 80_000)  # 8 MB.
        wait_until(lambda: setup.ddl("logs", run).stdout.count("x" * 99) == 80_000, "the copy")
        reader = subprocess.Popen([str(BIN / "ddl"), "logs", "-f", run], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "DDL_ADDR": setup.address})
        coordinator = setup.logs / "coordinator.log"
        try:
            # What is there already is read at once, before the first of it is printed.
            assert select.select([reader.stdout], [], [], 60)[0], "nothing is printed"
            with open(setup.rank_folders(run)[0] / "log", "a") as log:
                log.write(line * 60_000)
            assert len(reader.stdout.read(8_000_000)) == 8_000_000
            wait_until(lambda: "is cut off" in coordinator.read_text(), "the cut", 60)
            out, err = reader.communicate(timeout=60)
        finally:
            reader.kill()
        case.equal(reader.returncode, 1, "exit code")
        assert b"cut" in err and b"off" in err, err
        setup.ddl("cancel", run, "--yes")


def local_folder():
    """ddl logs -f follows a folder of ddl local to its end, and the same flags cut it down."""
    with Installation() as setup:
        setup.prepare_data()
        spec = setup.write("local", specs.tiny(steps=150))
        run = setup.folder / "run"
        trainer = setup.start("local", BIN / "ddl", "local", spec, "--out", run)
        wait_until(lambda: (run / "r0" / "log").exists() and wire.last_step(run / "r0" / "spool") > 1,
                   "a first step")
        follower = _follow(setup, run)
        case.equal(trainer.wait(120), 0, "exit code of ddl local")
        case.equal(follower.wait(60), 0, "exit code of the follower")
        written = _log(run / "r0")
        assert written.count("\n") >= 4, written
        case.equal((setup.folder / "follow.out").read_text(), written, "what was followed")
        case.equal(setup.ddl("logs", run).stdout, written, "the log")
        last = written.splitlines()[-1]
        case.equal(setup.ddl("logs", run, "--tail", 1).stdout, last + "\n", "the tail")
        case.equal(setup.json("logs", run, "--rank", 0, "--grep", "sha256")[0]["message"], last,
                   "the line of the digest")
        case.equal(setup.json("logs", run, "--grep", "no such line"), [], "nothing")
        setup.ddl("logs", run, "--rank", 1, code=2)


def json_lines():
    """With --log-format json every line of coordinator, worker and rank is an object with its trace."""
    with Installation() as setup:
        json_format = ("--log-format", "json")
        _start(setup, *json_format, worker=json_format)
        run = setup.submit(specs.tiny(steps=20))[0]
        setup.wait(run)
        wait_until(lambda: (setup.rank_folders(run)[0] / "log.sent").exists(), "the log to be sent")
        setup.kill("w1")
        setup.kill("coordinator")
        traces = {}
        logs = {"coordinator": setup.logs / "coordinator.log", "worker": setup.logs / "w1.log",
                "ddl-rank": setup.rank_folders(run)[0] / "log"}
        for component, path in logs.items():
            records = [json.loads(line) for line in path.read_text().splitlines()]
            assert records, f"{path} is empty"
            for record in records:
                case.equal(record["component"], component, "component")
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["ts"]), record
                assert record["level"] in ("info", "warning", "error"), record
                assert re.fullmatch(r"[0-9a-f]{32}", record["trace_id"]), record
            of_run = [record for record in records if record.get("run") == run and "attempt" in record]
            assert of_run, f"no line of {component} has run and attempt"
            traces[component] = {record["trace_id"] for record in of_run}
            case.equal({record["attempt"] for record in of_run}, {"1"}, "attempt")
        case.equal(traces["worker"], traces["ddl-rank"], "trace of worker and rank")
        case.equal(traces["coordinator"], traces["ddl-rank"], "trace of coordinator and rank")


if __name__ == "__main__":
    case.main(globals())
