"""What a `kill -9` of each program costs a run in training."""

import os
import signal
import time

import case
import specs
import wire
from harness import Installation, wait_until

CHECKPOINT_STEPS = 50


def _spec(steps, **changes):
    """A step of some 10 ms, with a checkpoint every 50 steps."""
    batch = 8
    every = CHECKPOINT_STEPS * batch * 64
    return specs.tiny(steps, batch, checkpoint__every_tokens=every,
                      observability={"per_layer": "off"}, **changes)


def _start(setup):
    setup.start_coordinator()
    setup.prepare_data()
    setup.start_worker()
    setup.wait_workers()


def _seconds_per_step(setup):
    """Of a short run on this machine, so that the long one is long enough and no longer."""
    run = setup.submit(_spec(60, name="calibration"))[0]
    setup.wait(run)
    rows = setup.ddl("metrics", run, "train_loss", "-o", "csv").stdout.splitlines()[1:]
    first, last = (float(row.split(",")[5]) for row in (rows[9], rows[-1]))
    return (last - first) / (len(rows) - 10)


def _wait_between_checkpoints(setup, run):
    """Until the last step is in the middle between two checkpoints, after step 20."""
    def middle():
        step = setup.spool_step(run)
        return step > CHECKPOINT_STEPS and 5 <= step % CHECKPOINT_STEPS <= CHECKPOINT_STEPS - 20

    wait_until(middle, "a step between two checkpoints", 60, interval=0.02)


def _check_hit(step):
    assert step > 20, f"killed at step {step}, not after step 20"
    assert step % CHECKPOINT_STEPS != 0, f"killed at step {step}, on a checkpoint"


def _check_every_step_once(setup, run, steps):
    found = [step for _, step, _, _ in setup.series(run, "train_loss")]
    missing = sorted(set(range(1, steps + 1)) - set(found))
    assert found == list(range(1, steps + 1)), (
        f"{len(found)} points for {steps} steps; missing {missing[:10]}, "
        f"doubled {sorted(s for s in set(found) if found.count(s) > 1)[:10]}")


def _outage(setup, name, seconds, wait_back):
    """Kills a program under a run in training and starts it again after `seconds`."""
    step_seconds = _seconds_per_step(setup)
    steps = int((seconds + 12) / step_seconds)
    run = setup.submit(_spec(steps))[0]
    _wait_between_checkpoints(setup, run)
    pids = setup.rank_pids(run)
    case.equal(len(pids), 1, "rank processes")
    setup.kill(name)
    killed = setup.spool_step(run)
    _check_hit(killed)
    time.sleep(seconds)
    back = setup.spool_step(run)
    print(f"killed at {killed}, back at {back}, gap {back - killed}", flush=True)
    assert back - killed >= 5, "training stood still while the program was down"
    case.equal(setup.rank_pids(run), pids, "rank processes before the restart")
    setup.restart(name)
    wait_back()
    case.equal(setup.rank_pids(run), pids, "rank processes after the restart")
    setup.wait(run, limit=240)
    row = setup.run(run)
    case.equal(row["state"], "succeeded", "state")
    case.equal(row["attempts"], 1, "attempts")
    case.equal(row["step"], steps, "last step")
    _check_every_step_once(setup, run, steps)


def coordinator_killed():
    """A coordinator down for 20 s stops no training, and no step is lost or doubled."""
    with Installation() as setup:
        _start(setup)
        _outage(setup, "coordinator", 20, setup.wait_ready)


def daemon_killed():
    """A worker daemon down for 8 s stops no training, and no step is lost or doubled."""
    with Installation() as setup:
        _start(setup)
        _outage(setup, "w1", 8, setup.wait_workers)


def rank_killed():
    """A killed rank resumes from its last checkpoint within 10 s and ends with the same bits."""
    with Installation() as setup:
        _start(setup)
        steps = 300
        whole = setup.submit(_spec(steps, name="whole"))[0]
        setup.wait(whole)
        run = setup.submit(_spec(steps, name="killed"))[0]
        _wait_between_checkpoints(setup, run)
        os.kill(setup.rank_pids(run)[0], signal.SIGKILL)
        died = time.monotonic()
        wait_until(lambda: not setup.rank_pids(run) or len(setup.rank_folders(run)) > 1, "the end")
        killed = wire.last_step(setup.rank_folders(run)[0] / "spool")
        _check_hit(killed)

        def resumed():
            folders = setup.rank_folders(run)
            return len(folders) > 1 and wire.last_step(folders[-1] / "spool") > 0 and folders[-1]

        second = wait_until(resumed, "a step of the second attempt", 30)
        took = time.monotonic() - died
        started = next(wire.decode(event[wire.EVENT_STARTED][0])
                       for event in wire.spool(second / "spool") if wire.EVENT_STARTED in event)
        back = started[wire.STARTED_RESUMED_STEP][0]
        print(f"killed at {killed}, back at {back}, gap {killed - back}; {took:.1f} s", flush=True)
        case.equal(back, killed - killed % CHECKPOINT_STEPS, "the step it resumed from")
        assert took <= 10, f"the first new step came after {took:.1f} s"
        setup.wait(run)
        case.equal(setup.run(run)["attempts"], 2, "attempts")
        _check_same(setup, whole, run)


def _check_same(setup, whole, run):
    for name in ("train_loss", "val_loss", "gradient_norm"):
        expected = [row[1:] for row in setup.series(whole, name)]
        found = [row[1:] for row in setup.series(run, name)]
        assert expected, f"no point of {name}"
        case.equal(found, expected, f"{name} of the resumed run")
    case.equal(setup.final_weights(run), setup.final_weights(whole), "SHA-256 of the weights")


if __name__ == "__main__":
    case.main(globals())
