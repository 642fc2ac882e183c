"""Holds reference_model.py to files that others wrote: its logits, states, loss and gradients.

    PYTHONPATH=~/.cache/deltaworks/libtorch-2.11.0-cuda python3 tests/reference/check_golden.py FILE...

Exits 1 when an error is over the tolerances of docs/golden.md.
"""

import json
import struct
import sys

import torch

import reference_model as reference

FORWARD, GRADIENT = 5e-6, 2e-5


def read(path):
    with open(path, "rb") as file:
        blob = file.read()
    length = struct.unpack("<Q", blob[:8])[0]
    header = json.loads(blob[8:8 + length])
    metadata = header.pop("__metadata__")
    data = bytearray(blob[8 + length:])
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        kind = torch.int64 if entry["dtype"] == "I64" else torch.float32
        tensors[name] = torch.frombuffer(data[start:end], dtype=kind).reshape(entry["shape"])
    return tensors, metadata


def error(found, wanted, floor=0.0):
    wanted = wanted.double()
    return ((found - wanted).abs().max() / max(wanted.abs().max().item(), floor)).item()


def check(path):
    tensors, metadata = read(path)
    form = reference.Form(metadata)
    weights = {name[6:]: tensor.double().requires_grad_(True)
               for name, tensor in tensors.items() if name.startswith("param/")}
    up = tensors["param/" + reference.mlp_names(form, 0)[1]]
    wanted = reference.shapes(form, up.shape[0])
    assert {k: tuple(w.shape) for k, w in weights.items()} == wanted, "names or shapes differ"
    logits, states = reference.forward(form, weights, tensors["idx"])
    loss = reference.loss_of(logits, tensors["tgt"])
    loss.backward()
    forward = [error(s.detach().reshape(tensors[f"block_out/{i}"].shape), tensors[f"block_out/{i}"])
               for i, s in enumerate(states)]
    forward += [error(logits.detach(), tensors["logits"]), error(loss.detach(), tensors["loss"])]
    largest = max(t.abs().max().item() for n, t in tensors.items() if n.startswith("grad/"))
    gradient = max(error(w.grad, tensors["grad/" + name], largest / 10)
                   for name, w in weights.items())
    print(f"{path}: {metadata['variant']}: forward {max(forward):.1e}, gradients {gradient:.1e}")
    return max(forward) <= FORWARD and gradient <= GRADIENT


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) > 1 and all([check(path) for path in sys.argv[1:]]) else 1)
