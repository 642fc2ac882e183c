"""What was acknowledged is there after a kill, once; what was repeated is there once."""

import os
import random
import signal
import socket
import subprocess
import threading

import case
import specs
from harness import BIN, BUILD, Installation, wait_until

PROBE = BUILD / "tests" / "ddl-probe"


def _submit(setup, prefix, first, count):
    """{request id: run} of submissions by the probe, as far as it came."""
    done = subprocess.run([PROBE, "submit", setup.address, setup.folder / "spec.yaml", prefix,
                           str(first), str(count)], text=True, stdout=subprocess.PIPE, timeout=300)
    assert done.returncode == 0, done.stdout[-500:]
    return dict(line.split()[:2] for line in done.stdout.splitlines())


def _start(setup):
    setup.start_coordinator()
    setup.prepare_data(documents=20)
    setup.write("spec", specs.tiny(20))


def _ids(setup):
    return sorted(row["id"] for row in setup.json("ls"))


def repeated_request():
    """A resubmitted request_id creates nothing and returns the first answer, also after a kill."""
    with Installation() as setup:
        _start(setup)
        first = _submit(setup, "repeat", 0, 5)
        case.equal(_submit(setup, "repeat", 0, 5), first, "answers to the repeats")
        setup.kill("coordinator")
        setup.restart("coordinator")
        setup.wait_ready()
        case.equal(_submit(setup, "repeat", 0, 5), first, "answers after the restart")
        case.equal(_ids(setup), sorted(first.values()), "runs")


def thousand_then_kill():
    """Of 1,000 submissions in a row and then a kill, all are there and none is there twice."""
    with Installation() as setup:
        _start(setup)
        made = _submit(setup, "thousand", 0, 1000)
        setup.kill("coordinator")
        case.equal(len(set(made.values())), 1000, "different runs")
        setup.restart("coordinator")
        setup.wait_ready()
        case.equal(_ids(setup), sorted(made.values()), "runs after the kill")


def _replay(setup):
    """{key: value} of a replay of the journal by a process of its own."""
    done = subprocess.run([BIN / "ddl-coordinator", "--verify-journal", "--state",
                           setup.folder / "coordinator"], text=True, check=True,
                          stdout=subprocess.PIPE, timeout=60)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def replay_gives_the_same_state():
    """After kills at random moments two replays have one hash, and a restart serves those runs."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    source = random.Random(seed)
    with Installation() as setup:
        _start(setup)
        total = 0
        for index in range(4):
            made = _submit(setup, f"part{index}", 0, source.randint(1, 120))
            total += len(made)
            setup.kill("coordinator")
            first, second = _replay(setup), _replay(setup)
            print(first)
            case.equal(second, first, "a second replay")
            case.equal(int(first["runs"]), total, "runs in the journal")
            assert len(first["hash"]) == 64, first
            setup.restart("coordinator")
            setup.wait_ready()
            case.equal(len(_ids(setup)), total, "runs that are served")


def kills_during_submissions():
    """Kills at random moments of 300 submissions lose none and double none."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    source = random.Random(seed)
    with Installation() as setup:
        _start(setup)
        made, kills = {}, 0
        thread = threading.Thread(target=lambda: made.update(_submit(setup, "storm", 0, 300)))
        thread.start()
        while thread.is_alive() and kills < 8:
            thread.join(source.uniform(0.02, 0.4))
            setup.kill("coordinator")
            setup.restart("coordinator")
            setup.wait_ready()
            kills += 1
        thread.join()
        print(f"{kills} kills")
        case.equal(len(made), 300, "answered submissions")
        case.equal(_ids(setup), sorted(made.values()), "runs")


def _probe(setup, *words):
    done = subprocess.run([PROBE, words[0], setup.address, *words[1:]], text=True,
                          stdout=subprocess.PIPE, timeout=60)
    code, _, message = done.stdout.strip().partition(" ")
    print(words[0], code, message)
    return int(code), message


def bad_calls():
    """Calls without deadline, too large or of garbage are refused, and the next good one works."""
    with Installation() as setup:
        _start(setup)
        code, message = _probe(setup, "no-deadline")
        case.equal(code, 3, "status of a call without deadline")
        assert "deadline" in message, message
        code, message = _probe(setup, "oversized")
        case.equal(code, 8, "status of an oversized call")
        for seed in range(20):
            with socket.create_connection(("127.0.0.1", setup.ports[0])) as stream:
                stream.sendall(random.Random(seed).randbytes(4096))
        case.equal(len(_submit(setup, "good", 0, 1)), 1, "a good call after the bad ones")
        case.equal(len(_ids(setup)), 1, "runs")


def old_epoch():
    """A metrics batch from an older epoch is refused with one clear error, and nothing is stored."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.start_worker("w1", 2)
        setup.prepare_data()
        setup.wait_workers()
        run = setup.submit(specs.tiny(steps=200))[0]
        wait_until(lambda: setup.spool_step(run) > 15, "a checkpoint")
        os.kill(setup.rank_pids(run)[0], signal.SIGKILL)
        wait_until(lambda: len(setup.rank_folders(run)) == 2, "the second attempt")
        code, message = _probe(setup, "metrics", "w1", run, 1)
        case.equal(code, 10, "status of a batch of the epoch before")
        case.equal(message.count("\n"), 0, "further lines of the message")
        for word in ("epoch 1", run, "the current epoch is 2"):
            assert word in message, f"{word!r} is not in {message!r}"
        # Not for want of a session: the batch of an epoch that never was is refused for that.
        code, message = _probe(setup, "metrics", "w1", run, 7)
        case.equal(code, 9, "status of a batch of an epoch to come")
        assert "no attempt of epoch 7" in message, message
        setup.wait(run)
        steps = [row[1] for row in setup.series(run, "train_loss")]
        case.equal(steps, sorted(set(steps)), "steps, each once")
        assert 9999 not in steps, "the refused point is stored"


def second_coordinator_refuses():
    """A second coordinator on the same folder refuses to start and says who holds it."""
    with Installation() as setup:
        setup.start_coordinator()
        holder = setup.processes["coordinator"].pid
        command = [str(word) for word in setup.options["coordinator"][0]]
        for option in ("--listen", "--http"):
            command[command.index(option) + 1] = "127.0.0.1:0"
        second = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=30)
        case.equal(second.returncode, 73, "exit code")
        case.equal(second.stdout, "", "stdout")
        assert str(holder) in second.stderr, f"does not name process {holder}: {second.stderr}"
        wait_until(lambda: setup.processes["coordinator"].poll() is None, "the first to go on", 1)


if __name__ == "__main__":
    case.main(globals())
