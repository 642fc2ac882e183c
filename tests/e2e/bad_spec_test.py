"""Bad specs and unreachable servers: one clear error, the exit code of the contract, empty stdout."""

import re
import subprocess

import case
import specs
from harness import BIN, Installation, free_port

GOOD = """version: 1
name: bad
model:
  d_model: 32
  n_layers: 2
  n_heads: 2
  max_seq_len: 64
data:
  path: data
train:
  tokens: 51200
  global_batch_tokens: 512
"""

# What is wrong: (text to replace, its replacement, "line:column" or "", words of the message).
BAD = {
    "unknown key": ("  n_heads: 2", "  n_heads: 2\n  zebra: 1", "7:3", ["zebra"]),
    "misspelt key": ("  n_layers: 2", "  n_layer: 2", "5:3", ["n_layer", "did you mean", "n_layers"]),
    "duplicate key": ("  n_heads: 2", "  n_heads: 2\n  d_model: 64", "7:3", ["d_model", "twice", "4:3"]),
    "wrong type": ("d_model: 32", "d_model: wide", "4:12", ["d_model", "wide"]),
    "wrong unit": ("tokens: 51200", "tokens: 20Q", "11:11", ["tokens", "20Q"]),
    "too small": ("d_model: 32", "d_model: 4", "4:12", ["d_model", "at least 8", "4"]),
    "word not in the list": ("model:\n", "model:\n  residual: {kind: dll}\n", "4:", ["dll", "ddl"]),
    "anchor": ("d_model: 32", "d_model: &a 32", "4:", ["anchor"]),
    "alias": ("  n_heads: 2", "  n_heads: &a 2\n  n_layers: *a", "", []),
    "tag": ("d_model: 32", "d_model: !!int 32", "4:", ["tag"]),
    "too deep": ("name: bad", "notes: " + "[" * 20 + "]" * 20, "2:", ["16"]),
    "too large": ("name: bad", "notes: " + "x" * (260 << 10), "", ["256 KiB"]),
    "heads do not divide": ("n_heads: 2", "n_heads: 3", "", ["d_model", "n_heads"]),
    "control character": ("name: bad", 'title: "a\\u0007b"', "2:", ["title"]),
    "bidirectional character": ("name: bad", 'title: "a\\u202Eb"', "2:", ["title"]),
    "name out of the rule": ("name: bad", "name: Bad Name", "2:7", ["name"]),
    "no mapping": (GOOD, "- 1\n", "", ["mapping"]),
}


def _check(done, what, code, place="", words=()):
    """One clear error on stderr and nothing on stdout."""
    case.equal(done.returncode, code, f"{what}: exit code ({done.stderr.strip()[:300]})")
    case.equal(done.stdout, "", f"{what}: stdout")
    errors = done.stderr.strip()
    assert errors, f"{what}: no error"
    assert f"bad.yaml:{place}" in errors or not place, f"{what}: no bad.yaml:{place} in {errors}"
    for word in words:
        assert word in errors, f"{what}: no {word!r} in {errors}"
    assert not re.search(r"terminate called|AddressSanitizer|\x1b", errors), f"{what}: {errors}"
    print(f"{what}: {errors.splitlines()[0][:150]}", flush=True)


def specs_are_refused():
    """Each bad spec is refused by validate, submit and local with its place, value and rule."""
    with Installation() as setup:
        for what, (old, new, place, words) in BAD.items():
            assert old in GOOD
            path = setup.write("bad", GOOD.replace(old, new, 1))
            for verb in ("validate", "submit", "local"):
                _check(setup.ddl(verb, path, code=None), f"{what} ({verb})", 2, place, words)
        left = sorted(path.name for path in setup.folder.iterdir())
        case.equal(left, ["bad.yaml", "checkpoints", "logs"], "what is left in the folder")


def numbers_with_units_are_accepted():
    """20M, 2e7 and 20_000_000 are the same number."""
    with Installation() as setup:
        found = set()
        for text in ("20M", "2e7", "20_000_000", "20000000"):
            path = setup.write("good", GOOD.replace("51200", text).replace("512\n", "320\n"))
            found.add(setup.json("validate", path)["cost"]["tokens"])
        case.equal(found, {20_000_000}, "token budgets")


def overrides_are_checked():
    """A bad override names the key and its rule."""
    with Installation() as setup:
        path = setup.write("good", GOOD)
        for override, words in {"train.token=5": ["token", "did you mean", "tokens"],
                                "model.d_model=x": ["model.d_model", "x"],
                                "model.d_model": ["model.d_model"]}.items():
            _check(setup.ddl("validate", path, override, code=None), override, 2, words=words)


def no_file_and_no_server():
    """A missing file is exit 2 or 3, an unreachable coordinator is exit 6 after bounded retries."""
    with Installation() as setup:
        missing = setup.ddl("validate", setup.folder / "none.yaml", code=None)
        assert missing.returncode in (2, 3), missing
        _check(missing, "missing file", missing.returncode, words=["none.yaml"])
        path = setup.write("good", GOOD)
        for words in (["ls"], ["submit", path], ["workers"], ["wait", "@last"]):
            done = setup.ddl(*words, code=None, limit=60)
            _check(done, f"unreachable: {words[0]}", 6, words=[setup.address])


def ports_and_addresses():
    """A port in use is exit 69; another address than loopback without a certificate is refused."""
    with Installation() as setup:
        setup.start_coordinator()
        state = setup.folder / "second"

        def start(listen, http):
            return subprocess.run(
                [BIN / "ddl-coordinator", "--listen", listen, "--http", http, "--state", state,
                 "--bootstrap"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)

        _check(start(setup.address, "127.0.0.1:0"), "port in use", 69, words=[setup.address])
        http = setup.http.removeprefix("http://")
        _check(start("127.0.0.1:0", http), "HTTP port in use", 69, words=[http])
        _check(start(f"0.0.0.0:{free_port()}", "127.0.0.1:0"), "no certificate", 78, words=["TLS"])
        _check(subprocess.run([BIN / "ddl-coordinator", "--lisen", "x"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30),
               "unknown flag", 64, words=["lisen"])


def more_slots_than_the_cluster_has():
    """A run that no placement could hold is refused with the largest possible, unless --queue."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.prepare_data(documents=40)
        setup.start_worker(slots=2)
        setup.wait_workers()
        path = setup.write("bad", specs.tiny(20, 8, parallel__ranks=4))
        done = setup.ddl("submit", path, code=None)
        assert done.returncode in (1, 2, 5), done
        _check(done, "too many slots", done.returncode, words=["4", "2", "queue"])
        case.equal(setup.json("ls"), [], "runs after the refusal")
        run = setup.json("submit", path, "--queue")[0]["id"]
        case.equal(setup.run(run)["state"], "queued", "state")


if __name__ == "__main__":
    case.main(globals())
