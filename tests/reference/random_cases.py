"""Reference files of random models: sizes and switches that no committed file has.

    PYTHONPATH=~/.cache/deltaworks/libtorch-2.11.0-cuda \
        python3 tests/reference/random_cases.py FOLDER SEED COUNT

writes COUNT files of the independent implementation. Equal seeds give equal files. A model whose
numbers change by much in fp32, or when its weights change by as little, is left out: a comparison in fp32
says nothing about it, as where a gradient is of rounding alone and Adam makes a step of it.
"""

import itertools
import os
import random
import sys

import torch

import make_golden
from cases import paper, seed

NUDGE = 1e-7  # About the rounding of fp32.
# A quarter of the tolerances.
MOST_OF_FORWARD, MOST_OF_GRADIENTS, MOST_OF_NORMS, MOST_OF_MOVES = 1.25e-6, 5e-6, 1.25e-5, 1.25e-3
PAPER = ("base", "vdim1", "cc", "ccec", "tc", "tcec")
WRITE_ONLY = ("vdim1_wo", "cc_wo", "ccec_wo", "tc_wo", "tcec_wo")
SEEDS = ("seed_additive", "seed_deepdeltares", "seed_deepdeltares_wo")
STREAMS = ("hc_static", "hc_dynamic")
STREAM_EPS = 1e-2  # With a small one the norm takes away the scale of A_m, and its gradient is none.


def sizes(draw):
    return {"layers": draw.randint(1, 4), "batch": draw.randint(1, 3), "tokens": draw.randint(2, 24),
            "d_ff": draw.randint(5, 50)}


def switches(draw):
    """Of either backbone; a key that is left out means the backbone's own form."""
    found = {}
    for key, values in (("rope", ("half_split", "interleaved")),
                        ("qk_norm_position", ("after_rope", "before_rope")),
                        ("mlp", ("swiglu", "squared_relu")),
                        ("rope_base", (100.0, 5000.0)),
                        ("use_qk_rmsnorm", (False, True)),
                        ("logit_scale", (0.4, 2.0)),
                        ("norm_eps", (1e-5, 1e-3)),
                        ("rope_ratio", (0.0, 0.3, 0.5, 0.77, 1.0))):
        if draw.random() < 0.3:
            found[key] = draw.choice(values)
    return found


def heads(draw):
    key_heads = draw.randint(1, 3)
    return key_heads * draw.randint(1, 3), key_heads


def of_paper(draw, variant):
    count, key_heads = heads(draw)
    channels = draw.randint(1, 7)
    taps = draw.randint(1, channels if variant.startswith("cc") else 9)
    found = {"num_key_value_heads": key_heads, "ddl_value_channels": channels,
             "ddl_state_shortconv_kernel_size": taps,
             "input_embed_shortconv_kernel_size": draw.randint(1, 7),
             "ddl_beta_single_linear": draw.random() < 0.5,
             "ddl_beta_hidden_size": draw.randint(1, 9), "ddl_k_eps": draw.choice((1e-5, 1e-2, 0.5)),
             "ddl_v_sigmoid": draw.random() < 0.5, "ddl_v_sigmoid_scale": draw.choice((1.0, 4.0)),
             "ddl_v_input": draw.choice(("x_in", "c")), "hc_streams": draw.randint(1, 5),
             **switches(draw)}
    if draw.random() < 0.2:
        found.pop("logit_scale", None)
        found.update(mup=True, hidden_size_base=draw.choice((16, 64)))
    if variant in STREAMS:
        found["norm_eps"] = STREAM_EPS
    return paper(variant, d=draw.randint(6, 40), heads=count, head_dim=draw.randint(2, 12),
                 **sizes(draw), **found)


def of_seed(draw, variant):
    count, key_heads = heads(draw)
    found = {"beta_dim": draw.randint(1, 9), "k_eps": draw.choice((1e-6, 0.1)),
             "sigmoid_scale": draw.choice((2.0, 4.0)), "hc_streams": draw.randint(1, 5),
             **switches(draw)}
    if variant in STREAMS:
        found["norm_eps"] = STREAM_EPS
    return seed(variant, d=count * draw.randint(3, 10), heads=count, key_heads=key_heads,
                **sizes(draw), **found)


def cases(number):
    """Names and cases without end; every variant once before any comes again."""
    draw = random.Random(number)
    for index in itertools.count():
        variants = [*PAPER, *WRITE_ONLY, *SEEDS, *STREAMS, *STREAMS]
        draw.shuffle(variants)
        for place, variant in enumerate(variants):
            on_seed = variant in SEEDS or (variant in STREAMS and draw.random() < 0.5)
            name = f"random_{number}_{index}_{place:02}_{variant}"
            yield name, (of_seed if on_seed else of_paper)(draw, variant)


def difference(found, wanted, floor=0.0):
    return ((found - wanted).abs().max() / max(wanted.abs().max().item(), floor)).item()


def is_steady(exact, nudged):
    """Whether two computations differ by well less than the tolerances of docs/golden.md."""
    largest = max(t.abs().max().item() for key, t in exact.items() if key.startswith("grad/"))
    for key, wanted in exact.items():
        if key.startswith("train/param/"):
            start = key.removeprefix("train/")
            moved = wanted - exact[start]
            other = nudged[key] - nudged[start]
            steady = (other - moved).norm() < MOST_OF_MOVES * moved.norm()
        elif key.startswith("grad/"):
            steady = difference(nudged[key], wanted, largest / 10) < MOST_OF_GRADIENTS
        elif key == "train/grad_norm":
            steady = difference(nudged[key], wanted) < MOST_OF_NORMS
        elif key.startswith(("block_out/", "logits", "loss", "train/loss")):
            steady = difference(nudged[key], wanted) < MOST_OF_FORWARD
        else:
            continue
        if not steady:
            return False
    return True


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: random_cases.py FOLDER SEED COUNT")
    torch.set_num_threads(1)
    os.makedirs(sys.argv[1], exist_ok=True)
    left = int(sys.argv[3])
    for name, made in cases(int(sys.argv[2])):
        tensors = make_golden.tensors_of(name, made)
        rounded = {key: tensor.to(tensors[key].dtype) for key, tensor in
                   make_golden.tensors_of(name, made, torch.float32).items()}
        nudged = make_golden.tensors_of(name, made, nudge=NUDGE)
        if not (is_steady(tensors, rounded) and is_steady(tensors, nudged)):
            print(name, "left out")
            continue
        make_golden.write(os.path.join(sys.argv[1], name + ".safetensors"), tensors, made["metadata"])
        left -= 1
        if left == 0:
            break


if __name__ == "__main__":
    main()
