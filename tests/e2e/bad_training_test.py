"""Damage that training meets: data, numbers, disk, checkpoints."""

import hashlib
import json
import os
import shutil
import struct
import subprocess

import case
import specs
from harness import Installation, get, skip, wait_until


def _start(setup):
    setup.start_coordinator()
    setup.prepare_data()
    setup.start_worker()
    setup.wait_workers()


def _fails(setup, run, *words, limit=60):
    """The run ends as failed, once, for a reason that names each of the words."""
    setup.wait(run, code=7, limit=limit)
    row = setup.run(run)
    case.equal(row["state"], "failed", "state")
    print(row["reason"], flush=True)
    for word in words:
        assert word in row["reason"], f"no {word!r} in {row['reason']!r}"


def _shard(setup):
    return next((setup.folder / "data").glob("train-000.bin"))


def _remove(shard):
    shard.unlink()


def _empty(shard):
    shard.write_bytes(b"")


def _truncate(shard):
    os.truncate(shard, shard.stat().st_size - 2)


def _alter(shard):
    data = bytearray(shard.read_bytes())
    data[2000] ^= 1
    shard.write_bytes(data)


def damaged_shards():
    """A missing, empty, truncated or altered shard is noticed by `data verify` and by a run."""
    with Installation() as setup:
        _start(setup)
        shutil.copytree(setup.folder / "data", setup.folder / "good")
        spec = specs.tiny(20, resources={"max_restarts": 0})
        for damage in (_remove, _empty, _truncate, _alter):
            shutil.rmtree(setup.folder / "data")
            shutil.copytree(setup.folder / "good", setup.folder / "data")
            damage(_shard(setup))
            done = setup.ddl("data", "verify", setup.folder / "data", code=None)
            assert done.returncode in (1, 2, 3, 8), f"{damage.__name__}: {done}"
            case.equal(done.stdout, "", f"{damage.__name__}: stdout")
            assert "train-000.bin" in done.stderr, f"{damage.__name__}: {done.stderr}"
            _fails(setup, setup.submit(spec)[0], "train-000.bin")
        case.equal(list(setup.checkpoints.glob("*/e*/step-*")), [], "checkpoints of failed runs")


def token_beyond_the_vocabulary():
    """A token id that the model has no row for is named with its shard and place."""
    with Installation() as setup:
        _start(setup)
        shard, manifest = _shard(setup), setup.folder / "data" / "manifest.json"
        data = bytearray(shard.read_bytes())
        old = hashlib.sha256(data).hexdigest()
        struct.pack_into("<H", data, 1024 + 2 * 77, 60000)
        shard.write_bytes(data)
        text = manifest.read_text()
        assert old in text, "the manifest holds no SHA-256 of the shard"
        manifest.write_text(text.replace(old, hashlib.sha256(data).hexdigest()))
        spec = specs.tiny(20, resources={"max_restarts": 0})
        _fails(setup, setup.submit(spec)[0], "60000", "257")


def nan_policy():
    """A loss that is not finite fails the run, or is skipped and counted, as the spec says."""
    with Installation() as setup:
        _start(setup)
        broken = {"model__logit_scale": 1e38, "resources": {"max_restarts": 0}}
        run = setup.submit(specs.tiny(20, name="fail", **broken))[0]
        _fails(setup, run, "finite")
        run = setup.submit(specs.tiny(20, name="skip", train__nan_policy="skip", **broken))[0]
        setup.wait(run)
        skipped = [float(value) for *_, value in setup.series(run, "nonfinite_steps")]
        case.equal(sum(skipped), 20.0, "skipped steps")


def _mount(folder, size):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        skip(f"cannot mount a small tmpfs: {done.stderr.strip()}")


def full_disk():
    """A disk that fills up in training costs checkpoints, not training; the previous one stays."""
    if os.geteuid() != 0:
        skip("mounting a small tmpfs needs root")
    with Installation() as setup:
        _mount(setup.checkpoints, "16m")
        try:
            _full_disk(setup)
        finally:
            subprocess.run(["umount", "-l", setup.checkpoints], check=True)


def _full_disk(setup):
    _start(setup)
    run = setup.submit(specs.tiny(1500, checkpoint__every_tokens=50 * 512))[0]
    wait_until(lambda: setup.json("describe", run)["checkpoints"], "a checkpoint", 60)
    before = setup.last_checkpoint(run).name
    free = shutil.disk_usage(setup.checkpoints).free
    filler = setup.checkpoints / "filler"
    with open(filler, "wb") as out:
        out.write(b"\0" * (free - 4096))
    full_at = setup.spool_step(run)
    wait_until(lambda: setup.spool_step(run) > full_at + 100, "training to go on", 60)
    metrics = wait_until(lambda: _failures(setup), "the alert metric", 20)
    print(before, metrics)
    assert setup.last_checkpoint(run).is_dir()
    filler.unlink()
    setup.wait(run)
    row = setup.run(run)
    case.equal((row["state"], row["attempts"]), ("succeeded", 1), "state and attempts")
    case.equal(setup.last_checkpoint(run).name, "step-1500", "the last checkpoint")


def _failures(setup):
    lines = get(f"{setup.worker_http()}/metrics").splitlines()
    return [line for line in lines if line.startswith("ddl_checkpoint_failures_total")
            and "disk_full" in line and not line.endswith(" 0")]


def _flip(shard):
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 4
    shard.write_bytes(data)


def damaged_checkpoints():
    """A truncated or bit-flipped checkpoint is noticed and said; the previous one gives equal bits."""
    with Installation() as setup:
        _start(setup)
        spec = specs.tiny(400, checkpoint__every_tokens=50 * 512)
        whole = setup.submit(spec)[0]
        setup.wait(whole)
        for damage in (_truncate, _flip):
            run = setup.submit(spec)[0]
            wait_until(lambda: setup.spool_step(run) > 120, "step 120", 60, 0.02)
            setup.ddl("pause", run)
            wait_until(lambda: setup.run(run)["state"] == "paused", "the pause", 30)
            newest = setup.last_checkpoint(run)
            damage(next(newest.glob("*.safetensors")))
            setup.ddl("resume", run)
            setup.wait(run)
            detail = setup.json("describe", run)
            resumed = detail["attempts"][-1]["resumed_step"]
            print(f"{damage.__name__}: {newest.name} damaged, resumed from {resumed}", flush=True)
            assert 0 < int(resumed) < int(newest.name.split("-")[1]), detail["attempts"]
            said = json.dumps(detail["notices"])
            assert newest.name in said, f"no notice about {newest.name}: {said}"
            case.equal([row[1:] for row in setup.series(run, "train_loss")],
                       [row[1:] for row in setup.series(whole, "train_loss")], "losses")
            case.equal(setup.final_weights(run), setup.final_weights(whole), "weights")


if __name__ == "__main__":
    case.main(globals())
