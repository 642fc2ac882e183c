"""Writes the reference files of tests/golden/own, from reference_model.py in float64.

    PYTHONPATH=~/.cache/deltaworks/libtorch-2.11.0-cuda python3 tests/reference/make_golden.py FOLDER

Needs PyTorch 2.11 (deploy/local/install.sh cuda). The numbers are stored in fp32. Running it
again on the same machine gives the same files.
"""

import json
import os
import struct
import sys
import zlib

import torch

import reference_model as reference
from cases import CASES

STEPS = 5


def initial_weights(form, d_ff, generator, kind):
    """Random weights near the initial ones, none of them at a point of symmetry."""
    weights = {}
    for name, shape in reference.shapes(form, d_ff).items():
        noise = torch.randn(shape, generator=generator, dtype=torch.float64)
        leaf = name.rsplit(".", 2)[-2:]
        if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")) or "norm" in name:
            value = 1 + 0.2 * noise
        elif "_rms" in name or leaf[-1] == "static_beta":
            value = 1 + 0.2 * noise
        elif leaf[-1] == "static_alpha":
            n = shape[0]
            value = torch.cat([torch.full((n, 1), 1.0 / n), torch.eye(n)], 1).double() + 0.1 * noise
        elif leaf[-1] in ("alpha_scale", "beta_scale"):
            value = 0.2 + 0.05 * noise
        elif leaf[-1] == "read":
            value = 1 / form.channels + 0.3 * noise
        elif "conv" in name or "compress" in name or "readout" in name:
            value = 0.5 + 0.3 * noise
        elif leaf[-1] == "bias":
            value = 0.5 * noise
        elif "embedding" in name or "wte" in name:
            value = 0.3 * noise / (form.embed_scale if form.seed else 1)
        else:
            value = noise / form.d ** 0.5
        # What a file can store is where the computation starts.
        weights[name] = value.float().to(kind).requires_grad_(True)
    return weights


def clipped_gradients(weights, largest=1.0):
    norm = torch.sqrt(sum((w.grad ** 2).sum() for w in weights.values()))
    factor = min(1.0, largest / (norm.item() + 1e-6))
    return norm, {name: w.grad * factor for name, w in weights.items()}


def adamw(weights, gradients, moments, step):
    """One step at rate 1e-3, betas 0.9 and 0.95, decay 0.1 of every weight."""
    for name, w in weights.items():
        m, v = moments[name]
        m.mul_(0.9).add_(gradients[name], alpha=0.1)
        v.mul_(0.95).add_(gradients[name] ** 2, alpha=0.05)
        w.data.mul_(1 - 1e-3 * 0.1)
        w.data.sub_(1e-3 * (m / (1 - 0.9 ** step)) / ((v / (1 - 0.95 ** step)).sqrt() + 1e-8))


def tensors_of(name, case, kind=torch.float64, nudge=0.0):
    """The tensors of a file; `name` decides weights and tokens, `kind` the arithmetic. `nudge` moves
    every weight by about that fraction of itself."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    form = reference.Form(case["metadata"])
    weights = initial_weights(form, case["d_ff"], generator, kind)
    noise = torch.Generator().manual_seed(1)
    for w in weights.values():
        w.data.mul_(1 + nudge * torch.randn(w.shape, generator=noise, dtype=w.dtype))
    shape = (case["batch"], case["tokens"] + 1)
    text = torch.randint(form.vocab, shape, generator=generator)
    idx, tgt = text[:, :-1].contiguous(), text[:, 1:].contiguous()
    out = {"idx": idx, "tgt": tgt}
    out.update({f"param/{k}": w.detach().clone() for k, w in weights.items()})
    moments = {k: (torch.zeros_like(w), torch.zeros_like(w)) for k, w in weights.items()}
    losses, norms = [], []
    for step in range(1, STEPS + 1):
        logits, states = reference.forward(form, weights, idx)
        loss = reference.loss_of(logits, tgt)
        for w in weights.values():
            w.grad = None
        loss.backward()
        for w in weights.values():
            w.grad = torch.zeros_like(w) if w.grad is None else w.grad
        if step == 1:
            out.update({f"block_out/{i}": s.detach() for i, s in enumerate(states)})
            out["logits"], out["loss"] = logits.detach(), loss.detach().reshape(1)
            out.update({f"grad/{k}": w.grad.clone() for k, w in weights.items()})
        norm, gradients = clipped_gradients(weights)
        losses.append(loss.detach())
        norms.append(norm)
        adamw(weights, gradients, moments, step)
    out["train/loss"], out["train/grad_norm"] = torch.stack(losses), torch.stack(norms)
    out.update({f"train/param/{k}": w.detach().clone() for k, w in weights.items()})
    return out


def write(path, tensors, metadata):
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        tensor = tensor if tensor.dtype == torch.int64 else tensor.float()
        blob = bytes(tensor.flatten().view(torch.uint8).tolist())
        header[name] = {"dtype": "I64" if tensor.dtype == torch.int64 else "F32",
                        "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_golden.py FOLDER")
    torch.set_num_threads(1)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, case in CASES.items():
        path = os.path.join(sys.argv[1], name + ".safetensors")
        write(path, tensors_of(name, case), case["metadata"])
        print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
