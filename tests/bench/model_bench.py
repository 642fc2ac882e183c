"""CPU step time of the reference models against the same models in eager PyTorch: model_bench.py.

Run it from the root on a quiet machine, after `cmake --build --preset release --target
model_step_bench`, with a Python that imports torch 2.11 (`pip install torch==2.11.0` makes one, and
so does PYTHONPATH=~/.cache/deltaworks/libtorch-2.11.0-cuda where the CUDA build was installed). Steps
of both alternate, so that what else the machine does meets both alike. Exit 1 when a ratio of medians
is above 1.1.

The models: d 256, L 4, H 4, SwiGLU of 682, T 256, B 8, 257 tokens, fp32; forward, backward, clipping
and fused AdamW.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("DDL_BINARY_DIR", ROOT / "build" / "release"))
PROGRAM = PROGRAM / "tests" / "model_step_bench"
WIDTH, LAYERS, HEADS, INNER, VOCABULARY, TOKENS, BATCH = 256, 4, 4, 682, 257, 256, 8
STEPS, WARM_UP = 50, 3
LIMIT = 1.1


def rms(x, gain=None, eps=1e-5):
    return F.rms_norm(x, (x.size(-1),), gain, eps)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.q_gain = nn.Parameter(torch.ones(WIDTH // HEADS))
        self.k_gain = nn.Parameter(torch.ones(WIDTH // HEADS))

    def heads(self, x):
        return x.view(BATCH, TOKENS, HEADS, WIDTH // HEADS)

    def forward(self, x, cosine, sine):
        def turn(heads):
            first, second = heads.chunk(2, dim=-1)
            return torch.cat(
                (first * cosine - second * sine, first * sine + second * cosine), dim=-1)

        q = rms(turn(self.heads(self.q(x))), self.q_gain).transpose(1, 2)
        k = rms(turn(self.heads(self.k(x))), self.k_gain).transpose(1, 2)
        v = self.heads(self.v(x)).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(BATCH, TOKENS, WIDTH))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up = (nn.Linear(WIDTH, INNER, bias=False) for _ in range(2))
        self.out = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x):
        return self.out(F.silu(self.gate(x)) * self.up(x))


class Sublayer(nn.Module):
    """A pre-norm sublayer around a plain vector state."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.gain = inner, nn.Parameter(torch.ones(WIDTH))

    def forward(self, x, *rotation):
        return x + self.inner(rms(x, self.gain), *rotation)


class DeltaSublayer(Sublayer):
    """The delta update of a state (B,T,n,d)."""

    def __init__(self, inner, channels):
        super().__init__(inner)
        self.beta, self.value = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, channels)

    def forward(self, state, compress, *rotation):
        x = compress(state)
        c = rms(x, self.gain)
        k = rms(self.inner(c, *rotation), eps=1e-10 / WIDTH) * WIDTH ** -0.5
        beta = 2 * torch.sigmoid(self.beta(c))
        v = 4 * torch.sigmoid(self.value(x))
        projection = (state * k.unsqueeze(2)).sum(-1)
        return torch.addcmul(state, k.unsqueeze(2), (beta * (v - projection)).unsqueeze(3))


class Compress(nn.Module):
    """A convolution along the channels and a read vector, folded to one weight."""

    def __init__(self, channels):
        super().__init__()
        self.kernel = nn.Parameter(torch.full((WIDTH, channels), 1 / channels))
        self.read = nn.Parameter(torch.full((channels,), 1 / channels))
        left = (channels - 1) // 2
        place = torch.zeros(channels, channels, channels)
        for output in range(channels):
            for tap in range(channels):
                if 0 <= output + tap - left < channels:
                    place[output, tap, output + tap - left] = 1
        self.register_buffer("place", place)

    def forward(self, state):
        weight = torch.einsum("o,oti,dt->id", self.read, self.place, self.kernel)
        return (state * weight).sum(2)


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.gain = nn.Parameter(torch.ones(WIDTH))
        parts = [(Attention(), Mlp()) for _ in range(LAYERS)]
        if channels == 0:
            self.blocks = nn.ModuleList(
                nn.ModuleList((Sublayer(a), Sublayer(m))) for a, m in parts)
        else:
            self.blocks = nn.ModuleList(
                nn.ModuleList((DeltaSublayer(a, channels), DeltaSublayer(m, channels),
                               Compress(channels))) for a, m in parts)
            self.expand = nn.Conv1d(WIDTH, WIDTH * channels, 4, groups=WIDTH, bias=False)
            self.read_out = Compress(channels)
        half = WIDTH // HEADS // 2
        angle = torch.outer(torch.arange(TOKENS).float(), 1e4 ** (-torch.arange(half) / half))
        self.register_buffer("cosine", angle.cos()[:, None])
        self.register_buffer("sine", angle.sin()[:, None])

    def forward(self, tokens):
        x = self.embedding(tokens)
        if self.channels == 0:
            for attention, mlp in self.blocks:
                x = mlp(attention(x, self.cosine, self.sine))
        else:
            padded = F.pad(x.transpose(1, 2), (3, 0))
            state = self.expand(padded).view(BATCH, WIDTH, self.channels, TOKENS)
            state = state.permute(0, 3, 2, 1).contiguous()
            for attention, mlp, compress in self.blocks:
                state = attention(state, compress, self.cosine, self.sine)
                state = mlp(state, compress)
            x = self.read_out(state)
        return F.linear(rms(x, self.gain), self.embedding.weight)


def eager(channels):
    """Returns a function that takes one step and gives its seconds."""
    torch.manual_seed(1)
    model = Model(channels)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    tokens = torch.randint(VOCABULARY, (BATCH, TOKENS))
    targets = torch.randint(VOCABULARY, (BATCH, TOKENS))

    def step():
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(tokens).view(-1, VOCABULARY), targets.view(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return time.perf_counter() - start

    return step


def ours(kind, channels):
    process = subprocess.Popen([PROGRAM, kind, str(channels)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def step():
        process.stdin.write("step\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    return process, step


def compare(name, kind, channels):
    theirs = eager(0 if kind == "additive" else channels)
    process, mine = ours(kind, channels)
    times = ([], [])
    for round_ in range(STEPS + WARM_UP):
        for step, seconds in ((mine, times[0]), (theirs, times[1])):
            passed = step()
            if round_ >= WARM_UP:
                seconds.append(passed)
    process.stdin.close()
    process.wait(timeout=60)
    ratio = statistics.median(times[0]) / statistics.median(times[1])
    print(f"{name:<10} {1e3 * statistics.median(times[0]):8.1f} ms"
          f" {1e3 * statistics.median(times[1]):8.1f} ms  {ratio:.3f}")
    return ratio


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    print(f"{'model':<10} {'ours':>11} {'eager':>11}  ratio (at most {LIMIT})")
    ratios = [compare("additive", "additive", 1), compare("ddl/4", "ddl", 4)]
    return 0 if max(ratios) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
