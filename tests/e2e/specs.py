"""Text, specs and checkpoints of the tests of the whole."""

import hashlib
import json
import pathlib
import random
import struct

WORDS = ("the of and a to in he was that it his her with as had for she not at but be on they have him "
         "which said from all this one would there were so when what their them if who out up into "
         "time could then do now more very been little upon").split()


def text(seed, documents):
    """Documents of seeded sentences: something to learn, the same everywhere."""
    source = random.Random(seed)
    for _ in range(documents):
        sentences = [" ".join(source.choices(WORDS, k=source.randint(6, 14))).capitalize() + "."
                     for _ in range(source.randint(8, 16))]
        yield " ".join(sentences) + "\n"


def tiny(steps=100, batch=8, **changes):
    """A run of `steps` steps that validates and saves a few times. Changes are keys a__b=v."""
    sequence = 64
    tokens = batch * sequence
    spec = {
        "version": 1,
        "name": "tiny",
        "seed": 1,
        "model": {"d_model": 32, "n_layers": 2, "n_heads": 2, "max_seq_len": sequence,
                  "residual": {"kind": "ddl", "value_channels": 1}},
        "data": {"path": "data"},
        "train": {"tokens": steps * tokens, "global_batch_tokens": tokens},
        "eval": {"every_tokens": max(1, steps // 4) * tokens, "tokens": 16 * sequence},
        "checkpoint": {"every_tokens": 10 * tokens},
    }
    for key, value in changes.items():
        place = spec
        *parents, last = key.split("__")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return spec


def sweep(base, residuals=None, repeat=3):
    residuals = residuals or [{"kind": "additive"}, {"kind": "ddl", "value_channels": 1}]
    return {"version": 1, "name": "arms", "base": base, "method": "grid",
            "parameters": {"model.residual": {"values": residuals}, "seed": {"repeat": repeat}}}


def tensors(path):
    """{name: bytes} of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    head = json.loads(data[8:8 + size])
    head.pop("__metadata__", None)
    return {name: data[8 + size:][slice(*entry["data_offsets"])] for name, entry in head.items()}


def parameters_digest(folder):
    """SHA-256 over the names and bytes of all tensors of a checkpoint."""
    sha = hashlib.sha256()
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        for name, body in sorted(tensors(path).items()):
            sha.update(name.encode() + b"\0" + body)
    return sha.hexdigest()
