"""Models from the spec to text, and what makes no model, through the programs that users start."""

import json
import shutil
import struct
import subprocess

import case
import specs
from harness import BIN, ROOT, Installation

SMALL = "own/base_as_seed"

RESIDUALS = {
    "{kind: additive}": False,
    "{kind: ddl, value_channels: 2}": True,
    "{kind: ddl, value_channels: 2, compress: token, beta_hidden: 3}": True,
    "{kind: write_only}": True,
    "{kind: seed_deepdeltares}": True,
    "{kind: hyper_connections, streams: 3}": False,
}


def _rank(*words, code=0):
    done = subprocess.run([str(BIN / "ddl-rank"), *map(str, words)], text=True, timeout=120, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    case.equal(done.returncode, code, f"exit code of ddl-rank {words[0]} ({done.stderr.strip()[:300]})")
    return done


def _refused(done, *words):
    """One line on stderr with each of the words, and nothing on stdout."""
    case.equal(done.returncode, 2, f"exit code ({done.stderr.strip()[:300]})")
    case.equal(done.stdout, "", "stdout")
    errors = done.stderr.strip()
    for word in words:
        assert word in errors, f"no {word!r} in {errors!r}"
    assert "terminate called" not in errors and "Traceback" not in errors, errors
    return errors


def trained_models_write_text():
    """Every residual trains through `ddl local`, and its checkpoint writes text and shows its gates."""
    with Installation() as setup:
        setup.prepare_data(documents=40)
        base = specs.tiny(2, batch=4)
        del base["model"]["residual"]
        spec = setup.write("spec", base)
        for index, (residual, gated) in enumerate(RESIDUALS.items()):
            out = setup.folder / f"run{index}"
            setup.ddl("local", spec, f"+model.residual={residual}", "--out", out)
            checkpoint = max(out.glob("**/step-*/manifest.pb")).parent
            words = ["generate", "--from", checkpoint, "--prompt", "The delta", "--tokens", "8",
                     "--seed", "5"]
            text = _rank(*words).stdout
            assert text.startswith("The delta"), text
            log = (out / "r0" / "log").read_text()
            case.equal("seed_deepdeltares is the seed's module as written there, not ddl" in log,
                       "seed_deepdeltares" in residual, f"what the log says of {residual}")
            case.equal(_rank(*words).stdout, text, "text of the same seed")
            case.equal(_rank(*words, "--no-cache").stdout, text, "text without a cache")
            done = _rank(*words, "--show-gates", code=0 if gated else 2)
            if not gated:
                assert "has no gates" in done.stderr, done.stderr
                continue
            header, *rows = done.stdout.splitlines()
            case.equal(header.split(), ["position", "token", "0.attn", "0.mlp", "1.attn", "1.mlp"],
                       "header of the gates")
            case.equal(len(rows), 9 + 8, "tokens with gates")
            case.equal([int(row.split()[1]) for row in rows[:9]], list(b"The delta"), "the prompt")
            betas = [float(beta) for row in rows for beta in row.split()[2:]]
            assert all(0 < beta < 2 for beta in betas) and len(set(betas)) > len(betas) / 2, betas


def cost_is_explained():
    """`ddl validate --explain` has parameters, FLOPs both ways and memory of every part, adding up."""
    with Installation() as setup:
        spec = ROOT / "configs" / "experiments" / "paper-124m.yaml"
        told = setup.json("validate", spec, "--explain", "~model.residual",
                          "model.residual.kind=additive")
        parts = {part["part"]: part for part in told["parts"]}
        case.equal(list(parts), ["embedding", "attention", "mlp", "norms", "residual", "head"], "parts")
        total = {key: sum(part[key] for part in parts.values())
                 for key in parts["head"] if key != "part"}
        cost = told["cost"]
        case.equal(total["parameters"], cost["parameters"], "sum of the parameters")
        assert abs(cost["parameters"] - 123.6e6) < 0.05e6, "parameters of the paper's small model"
        # Attention of the paper's small model: four matrices 768 x 768 and two gains a layer.
        case.equal(parts["attention"]["parameters"], 12 * (4 * 768 * 768 + 2 * 128), "attention")
        for part in parts.values():
            case.equal(part["backward_flops_per_token"], 2 * part["forward_flops_per_token"],
                       f"backward FLOPs of {part['part']}")
        flops = total["forward_flops_per_token"] + total["backward_flops_per_token"]
        assert abs(flops / cost["flops_per_token"] - 1) < 1e-12, (flops, cost)
        case.equal(total["weight_bytes"], 4 * cost["parameters"], "bytes of the weights")
        case.equal(total["optimizer_bytes"], 8 * cost["parameters"], "bytes of AdamW's moments")
        case.equal(sum(value for key, value in total.items() if key.endswith("_bytes")),
                   cost["memory_bytes_per_rank"], "memory")

        lines = setup.ddl("validate", spec, "--explain").stdout.splitlines()
        header = next(line for line in lines if line.startswith("PART"))
        for word in ("PARAMETERS", "FORWARD FLOPS/TOKEN", "BACKWARD", "WEIGHTS", "GRADIENTS",
                     "OPTIMIZER", "ACTIVATIONS"):
            assert word in header, header
        assert any(line.split()[:1] == ["all"] for line in lines), lines
        said = setup.ddl("validate", spec, "~model.residual",
                         "model.residual.kind=seed_deepdeltares").stdout
        assert "seed_deepdeltares (the seed's module as written there, not ddl" in said, said


# Model keys, and words of the one error that they get.
MODELS = {
    "d_model: 100, n_heads: 3": ["d_model must be divisible by n_heads", "100", "3"],
    "n_kv_heads: 4": ["n_kv_heads must divide n_heads, got 4 for 6"],
    "head_dim: 7": ["head_dim must be even, got 7"],
    "residual: {kind: ddl, value_channels: 0}": ["value_channels", "at least 1", "0"],
    "residual: {kind: ddl, value_channels: 4, compress_kernel: 5}":
        ["compress_kernel must be at most value_channels", "5", "4"],
    "residual: {kind: ddl, value_channels: 4, compress: both}": ["both", "channel", "token"],
    "residual: {kind: dll}": ["dll", "did you mean", "ddl"],
    "max_seq_len: 64, vocab_size: 256": ["model.vocab_size", "at least", "257", "256"],
}


def models_are_refused():
    """A model that cannot be gets one error with exit code 2, and nothing is trained or written."""
    with Installation() as setup:
        setup.prepare_data(documents=40)
        before = sorted(path.name for path in setup.folder.iterdir())
        for keys, words in MODELS.items():
            found = specs.tiny(2)
            found["model"] = "@"
            path = setup.write("bad", json.dumps(found).replace('"@"', "{" + keys + "}"))
            for verb in ("validate", "local"):
                print(_refused(setup.ddl(verb, path, code=None), *words).splitlines()[0], flush=True)
            if "vocab_size" not in keys:
                model = setup.write("model", "{" + keys + "}")
                out = setup.folder / "none.safetensors"
                _refused(_rank("init", "--model", model, "--out", out, code=2), *words[:1])
                assert not out.exists()
        left = sorted(path.name for path in setup.folder.iterdir())
        case.equal(left, sorted([*before, "bad.yaml", "model.yaml"]), "what is left in the folder")


def _path(name):
    return ROOT / "tests" / "golden" / f"{name}.safetensors"


def _golden(name=SMALL):
    """Header and data of a reference file."""
    blob = _path(name).read_bytes()
    size = struct.unpack_from("<Q", blob)[0]
    return json.loads(blob[8:8 + size]), blob[8 + size:]


def _file(header, data, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _lies():
    """What is wrong -> (bytes of a file, words of its error)."""
    whole = _path(SMALL).read_bytes()
    name = "param/ln_f.weight"

    def entry(words=(), **changes):
        header, data = _golden()
        header[name].update(changes)
        return _file(header, data), [name, *words]

    def metadata(key, value, *words):
        header, data = _golden()
        header["__metadata__"][key] = value
        return _file(header, data), [*words]

    header, data = _golden()
    start, end = header[name]["data_offsets"]
    size = end - start
    shape = header[name]["shape"]
    without = {key: value for key, value in header.items() if key != name}
    not_a_number = data[:start] + struct.pack("<f", float("nan")) + data[start + 4:]
    more = {**header, "param/more": {"dtype": "F32", "shape": [1],
                                     "data_offsets": [len(data), len(data) + 4]}}
    text = json.dumps(header).encode()
    return {
        "no byte": (b"", ["truncated"]),
        "half a length": (whole[:5], ["truncated"]),
        "half a header": (whole[:200], ["truncated"]),
        "half of the data": (whole[:len(whole) // 2], ["truncated"]),
        "a byte short": (whole[:-1], ["truncated"]),
        "a byte long": (whole + b"\0", ["1 bytes after the last tensor"]),
        "a length beyond the file": (_file(header, data, 2 * len(whole)), ["truncated"]),
        "a length beyond all memory": (_file(header, data, 2**64 - 1), ["header"]),
        "a length that is too short": (_file(header, data, len(text) - 1), ["JSON"]),
        "no JSON": (_file(b"{]", data), ["JSON"]),
        "JSON that is no object": (_file([], data), ["object"]),
        "a key twice": (_file(text[:-1] + b',"idx":' + json.dumps(header["idx"]).encode() + b"}", data),
                        ["idx", "twice"]),
        "nested without end": (_file(b"[" * 100000, data), ["JSON"]),
        "nested too deep": (_file(b"[" * 1000 + b"]" * 1000, data), ["deeper"]),
        "an offset that overlaps": entry(["overlap"], data_offsets=[start - size, end - size]),
        "an offset behind the file": (_file({**header, name: {
            **header[name], "data_offsets": [len(data), len(data) + size]}}, data), ["hole"]),
        "offsets beyond all numbers": entry(["data_offsets"], data_offsets=[2**64, 2**64 + size]),
        "offsets the wrong way": entry(["data_offsets"], data_offsets=[end, start]),
        "a negative offset": entry(["data_offsets"], data_offsets=[-size, 0]),
        "offsets that are no numbers": entry(["data_offsets"], data_offsets=["0", "4"]),
        "a span that is no tensor": entry(["bytes"], data_offsets=[start, end - 4]),
        "more elements than numbers": entry(["elements"], shape=[2**62, 2**62]),
        "a negative extent": entry(["shape"], shape=[-1]),
        "another shape of equal size": entry(["shape"], shape=[1, *shape]),
        "half of the precision": entry(["bytes"], dtype="F16"),
        "an unknown type": entry(["dtype", "F33"], dtype="F33"),
        "whole numbers": entry(["F32", "I32"], dtype="I32"),
        "a missing key": (_file(without, data), []),
        "a missing tensor": (_file(*_without(header, data, name)), ["no tensor", name]),
        "a tensor more": (_file(more, data + b"\0\0\0\0"), ["param/more", "no counterpart"]),
        "a number that is none": (_file(header, not_a_number), [name, "finite"]),
        "an unknown variant": metadata("variant", "ccc", "variant", "ccc", "is not one of"),
        "a variant of other weights": metadata("variant", "vdim1", "ddl"),
        "no channel": _channels("0"),
        "a kernel longer than the channels": _channels("2"),
        "sizes that the file lacks": metadata("hidden_size", "65536", "65536"),
        "layers that the file lacks": metadata("num_hidden_layers", "60000", "60000"),
        "heads that do not divide": metadata("num_key_value_heads", "7", "divisible", "7"),
        "a size that is no number": metadata("vocab_size", "many", "vocab_size", "many"),
        "Muon on a vector": _muon_on_a_vector(),
    }


def _muon_on_a_vector():
    """The reference file of Muon with its first matrix as one row of numbers."""
    header, data = _golden("muon_polar_express")
    rows, columns = header["in/0"]["shape"]
    header["in/0"]["shape"] = [rows * columns]
    return _file(header, data), ["Muon takes matrices alone", "in/0"]


def _channels(count):
    """The reference file of three channels and three taps says that it has `count` channels."""
    header, data = _golden("own/tcec_wo_k2")
    header["__metadata__"].update(ddl_value_channels=count, variant="ccec_wo",
                                  ddl_state_shortconv_kernel_size="3")
    return _file(header, data), ["ddl_value_channels"]


def _without(header, data, name):
    """Header and data without one tensor, whole otherwise."""
    start, end = header[name]["data_offsets"]
    gone = end - start
    kept = {}
    for key, value in header.items():
        if key == name:
            continue
        kept[key] = dict(value)
        if "data_offsets" in value and value["data_offsets"][0] >= end:
            kept[key]["data_offsets"] = [offset - gone for offset in value["data_offsets"]]
    return kept, data[:start] + data[end:]


def reference_files_that_lie():
    """A reference file that lies in any way gets one error that names it, and exit code 2."""
    with Installation() as setup:
        good = setup.folder / "good.safetensors"
        shutil.copy(_path(SMALL), good)
        _rank("golden", good)
        path = setup.folder / "lie.safetensors"
        for what, (content, words) in _lies().items():
            path.write_bytes(content)
            errors = _refused(_rank("golden", path, code=2), str(path), *words)
            case.equal(len(errors.splitlines()), 1, f"{what}: lines of {errors!r}")
            print(f"{what}: {errors[len(str(path)) + 10:][:140]}", flush=True)
        _refused(_rank("golden", setup.folder / "absent", code=2), "absent")
        _refused(_rank("golden", setup.folder, code=2), str(setup.folder))


if __name__ == "__main__":
    case.main(globals())
