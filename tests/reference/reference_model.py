"""The models of Deep Delta Learning in Python, written from the mathematics: what the C++ models are
held to where no authors' numbers exist.

Nothing here is shared with the C++ code. Weights are a dictionary of tensors under the names of
docs/golden.md; a state is (B, T, d), or (B, T, d, n) with channels or streams. Convolutions are loops
over taps, attention is its definition.
"""

import math

import torch

SEED_EPS = 2.0 ** -23


class Form:
    """What metadata says of a model, with the defaults of its backbone."""

    def __init__(self, metadata):
        meta = dict(metadata)
        variant = meta["variant"]
        self.write_only = variant.endswith("_wo")
        self.variant = variant[:-3] if self.write_only else variant
        self.hyper = self.variant.startswith("hc_")
        self.dynamic = self.variant == "hc_dynamic"
        self.seed = self.variant.startswith("seed_") or (self.hyper and "d_model" in meta)
        self.vocab = int(meta["vocab_size"])
        if self.seed:
            self.d = int(meta["d_model"])
            self.layers = int(meta["n_layers"])
            self.heads = int(meta["n_heads"])
            self.key_heads = int(meta["n_kv_heads"])
            self.head_dim = self.d // self.heads
        else:
            self.d = int(meta["hidden_size"])
            self.layers = int(meta["num_hidden_layers"])
            self.heads = int(meta["num_attention_heads"])
            self.key_heads = int(meta.get("num_key_value_heads", self.heads))
            self.head_dim = int(meta["head_dim"])
        self.qk_norm = meta.get("use_qk_rmsnorm", "True") == "True"
        seeds = self.seed
        self.norm_first = meta.get("qk_norm_position",
                                   "before_rope" if seeds else "after_rope") == "before_rope"
        self.interleaved = meta.get("rope", "interleaved" if seeds else "half_split") == "interleaved"
        self.rope_ratio = float(meta.get("rope_ratio", 1.0))
        self.rope_base = float(meta.get("rope_base", 10000.0))
        self.squared_relu = meta.get("mlp", "squared_relu" if seeds else "swiglu") == "squared_relu"
        self.norm_eps = float(meta.get("norm_eps", SEED_EPS if seeds else 1e-5))
        self.embed_scale = float(meta.get("embed_scale", math.sqrt(self.d) if seeds else 1.0))
        self.logit_scale = float(meta.get("logit_scale", 1.0))
        if meta.get("mup") == "True":
            self.logit_scale = float(meta.get("hidden_size_base", 1024)) / self.d
        self.streams = int(meta.get("hc_streams", 1))
        self.channel = self.variant in ("cc", "ccec")
        self.token = self.variant in ("tc", "tcec")
        self.expanded = self.channel or self.token
        self.embed_conv = self.variant.endswith("ec")
        self.channels = int(meta["ddl_value_channels"]) if self.expanded else 1
        self.taps = int(meta.get("ddl_state_shortconv_kernel_size", 1))
        self.embed_taps = int(meta.get("input_embed_shortconv_kernel_size", 1))
        if self.seed:
            self.hidden = int(meta.get("beta_dim", 0))
            self.k_eps = float(meta.get("k_eps", 1e-6))
            self.v_sigmoid, self.v_scale = True, float(meta.get("sigmoid_scale", 4.0))
        else:
            linear = meta.get("ddl_beta_single_linear", "True") == "True"
            self.hidden = 0 if linear else int(meta["ddl_beta_hidden_size"])
            self.k_eps = float(meta.get("ddl_k_eps", 1e-5))
            self.v_sigmoid = meta.get("ddl_v_sigmoid", "True") == "True"
            self.v_scale = float(meta.get("ddl_v_sigmoid_scale", 4.0))
        self.v_from_norm = meta.get("ddl_v_input", "x_in") == "c"

    def block(self, layer):
        return f"transformer_blocks.{layer}." if self.seed else f"transformer.h.{layer}."

    def sublayer(self, layer, index):
        """Prefix of what the residual keeps for sublayer 0, attention, or 1, the MLP."""
        family = "hc" if self.hyper else "ddr" if self.seed else "ddl"
        tail = str(index + 1) if self.seed else ("_attn", "_mlp")[index]
        return self.block(layer) + family + tail + "."


def shapes(form, d_ff):
    """Name -> shape of every weight."""
    f, d = form, form.d
    width, key_width = f.heads * f.head_dim, f.key_heads * f.head_dim
    found = {"token_embedding.weight" if f.seed else "transformer.wte.weight": (f.vocab, d)}
    compressor = {}
    if f.channel:
        compressor = {"weight": (d, f.taps), "read": (f.channels,)}
    if f.token:
        compressor = {"shortconv.weight": (d * f.channels, f.taps), "read": (f.channels,)}
    for layer in range(f.layers):
        at = f.block(layer)
        norms = ("norm1", "norm2") if f.seed else ("ln_1", "ln_2")
        found.update({f"{at}{norm}.weight": (d,) for norm in norms})
        if f.seed:
            attention = at + "attention."
            found[attention + "qkvo_proj"] = (width + 2 * key_width + d, d)
        else:
            attention = at + "attn."
            found[attention + "c_q.weight"] = (width, d)
            found[attention + "c_k.weight"] = (key_width, d)
            found[attention + "c_v.weight"] = (key_width, d)
            found[attention + "c_proj.weight"] = (d, width)
        if f.qk_norm:
            for which in "qk":
                found[f"{attention}{which}_{'norm' if f.seed else 'rms'}.weight"] = (f.head_dim,)
        gate, up, down = mlp_names(f, layer)
        if not f.squared_relu:
            found[gate] = (d_ff, d)
        found[up] = (d_ff, d)
        found[down] = (d, d_ff)
        found.update({f"{at}compress.{name}": shape for name, shape in compressor.items()})
        for index in (0, 1):
            found.update({f.sublayer(layer, index) + name: shape
                          for name, shape in residual_shapes(f).items()})
    found["norm.weight" if f.seed else "ln_f.weight"] = (d,)
    if f.embed_conv:
        found["input_embed.conv.weight"] = (d * f.channels, 1, f.embed_taps)
    found.update({f"readout.{name}": shape for name, shape in compressor.items()})
    return found


def mlp_names(form, layer):
    """Names of gate (absent for squared ReLU), up and down projections."""
    at = form.block(layer)
    if form.seed:
        return tuple(f"{at}feed_forward.{name}_proj.weight" for name in ("gate", "up", "down"))
    up = "c_fc1" if form.squared_relu else "c_fc2"
    return tuple(f"{at}mlp.{name}.weight" for name in ("c_fc1", up, "c_proj"))


def residual_shapes(form):
    f, n = form, form.streams
    if f.hyper:
        fixed = {"static_alpha": (n, n + 1), "static_beta": (n,)}
        if not f.dynamic:
            return fixed
        return {**fixed, "norm.weight": (f.d,), "dynamic_alpha": (f.d, n + 1),
                "dynamic_beta": (f.d,), "alpha_scale": (1,), "beta_scale": (1,)}
    if f.variant in ("base", "seed_additive"):
        return {}
    value = {"v_proj.weight": (f.channels, f.d), "v_proj.bias": (f.channels,)}
    if f.hidden == 0:
        return {"beta.weight": (1, f.d), "beta.bias": (1,), **value}
    return {"beta_in.weight": (f.hidden, f.d), "beta_out.weight": (1, f.hidden),
            "beta_out.bias": (1,), **value}


def norm(x, gain, eps):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * gain


def rotate(form, x):
    """x (B, T, H, D): turns the pair p of position t by the angle t * base^(-2p/R).

    Angles are those of fp32, as in the authors' code: rounded, they are part of the definition.
    """
    rotated = int(form.head_dim * form.rope_ratio) // 2 * 2
    if rotated == 0:
        return x
    pairs = rotated // 2
    places = torch.arange(0, rotated, 2, dtype=torch.float32) / rotated
    angles = torch.outer(torch.arange(x.shape[1], dtype=torch.float32),
                         1.0 / form.rope_base ** places)
    out = list(x.unbind(-1))
    for p in range(pairs):
        a, b = (2 * p, 2 * p + 1) if form.interleaved else (p, p + pairs)
        cosine = angles[:, p].cos().to(x.dtype).view(1, -1, 1)
        sine = angles[:, p].sin().to(x.dtype).view(1, -1, 1)
        out[a] = x[..., a] * cosine - x[..., b] * sine
        out[b] = x[..., a] * sine + x[..., b] * cosine
    return torch.stack(out, -1)


def attention(form, weights, layer, c):
    f = form
    batch, tokens, _ = c.shape
    at = f.block(layer) + ("attention." if f.seed else "attn.")
    width, key_width = f.heads * f.head_dim, f.key_heads * f.head_dim
    if f.seed:
        q, k, v, o = weights[at + "qkvo_proj"].split([width, key_width, key_width, f.d])
    else:
        q, k, v, o = (weights[f"{at}c_{name}.weight"] for name in ("q", "k", "v", "proj"))
    q = (c @ q.T).view(batch, tokens, f.heads, f.head_dim)
    k = (c @ k.T).view(batch, tokens, f.key_heads, f.head_dim)
    v = (c @ v.T).view(batch, tokens, f.key_heads, f.head_dim)
    placed = []
    for name, x in (("q", q), ("k", k)):
        gain = weights[f"{at}{name}_{'norm' if f.seed else 'rms'}.weight"] if f.qk_norm else None
        if gain is not None and f.norm_first:
            x = norm(x, gain, f.norm_eps)
        x = rotate(f, x)
        if gain is not None and not f.norm_first:
            x = norm(x, gain, f.norm_eps)
        placed.append(x)
    q, k = placed
    future = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    group = f.heads // f.key_heads
    heads = []
    for head in range(f.heads):
        scores = q[:, :, head] @ k[:, :, head // group].transpose(1, 2) / math.sqrt(f.head_dim)
        shares = scores.masked_fill(future, -math.inf).softmax(-1)
        heads.append(shares @ v[:, :, head // group])
    return torch.cat(heads, -1) @ o.T


def mlp(form, weights, layer, c):
    gate, up, down = (weights.get(name) for name in mlp_names(form, layer))
    if form.squared_relu:
        return torch.relu(c @ up.T) ** 2 @ down.T
    z = c @ gate.T
    return (z * torch.sigmoid(z) * (c @ up.T)) @ down.T


def shifted(x, steps):
    """x (B, T, ...) with every token `steps` later, and zeros before."""
    if steps == 0:
        return x
    steps = min(steps, x.shape[1])
    return torch.cat([torch.zeros_like(x[:, :steps]), x[:, :x.shape[1] - steps]], 1)


def compress(form, weights, prefix, state):
    f = form
    if not f.expanded:
        return state
    read = weights[prefix + "read"]
    if f.token:
        kernel = weights[prefix + "shortconv.weight"].view(f.d, f.channels, f.taps)
        mixed = sum(shifted(state, f.taps - 1 - s) * kernel[:, :, s] for s in range(f.taps))
        return (mixed * read).sum(-1)
    kernel, left = weights[prefix + "weight"], (f.taps - 1) // 2
    total = torch.zeros_like(state[..., 0])
    for j in range(f.channels):
        for s in range(f.taps):
            if 0 <= j + s - left < f.channels:
                total = total + read[j] * kernel[:, s] * state[..., j + s - left]
    return total


def begin(form, weights, embedding):
    f = form
    if f.hyper:
        return torch.stack([embedding] * f.streams, -1)
    if not f.expanded:
        return embedding
    if not f.embed_conv:
        return torch.stack([embedding] * f.channels, -1)
    kernel = weights["input_embed.conv.weight"].view(f.d, f.channels, f.embed_taps)
    return sum(shifted(embedding, f.embed_taps - 1 - s).unsqueeze(-1) * kernel[:, :, s]
               for s in range(f.embed_taps))


def gate(form, weights, at, c):
    if form.hidden == 0:
        logit = c @ weights[at + "beta.weight"].T + weights[at + "beta.bias"]
    else:
        inner = torch.tanh(c @ weights[at + "beta_in.weight"].T)
        logit = inner @ weights[at + "beta_out.weight"].T + weights[at + "beta_out.bias"]
    return 2 * torch.sigmoid(logit)


def rewrite(form, weights, at, state, x_in, c, h):
    f = form
    if f.variant in ("base", "seed_additive"):
        return state + h
    beta = gate(f, weights, at, c)
    v = (c if f.v_from_norm else x_in) @ weights[at + "v_proj.weight"].T + weights[at + "v_proj.bias"]
    if f.v_sigmoid:
        v = f.v_scale * torch.sigmoid(v)
    if f.variant == "seed_deepdeltares":
        k = h / h.abs().sum(-1, keepdim=True).clamp(min=f.k_eps)
        seen = 0 if f.write_only else (k * state).sum(-1, keepdim=True)
        return state * (beta * (v - seen) * k)
    k = h / torch.sqrt((h * h).sum(-1, keepdim=True) + f.k_eps ** 2)
    if not f.expanded:
        seen = 0 if f.write_only else (k * state).sum(-1, keepdim=True)
        return state + beta * k * (v - seen)
    seen = 0 if f.write_only else torch.einsum("bti,btij->btj", k, state)
    return state + beta.unsqueeze(-1) * k.unsqueeze(-1) * (v - seen).unsqueeze(-2)


def hyper_weights(form, weights, at, state):
    """alpha (B, T, n, n + 1) or (n, n + 1), and beta (B, T, n) or (n)."""
    alpha, beta = weights[at + "static_alpha"], weights[at + "static_beta"]
    if not form.dynamic:
        return alpha, beta
    rows = norm(state.transpose(-1, -2), weights[at + "norm.weight"], form.norm_eps)
    alpha = alpha + weights[at + "alpha_scale"] * torch.tanh(rows @ weights[at + "dynamic_alpha"])
    beta = beta + weights[at + "beta_scale"] * torch.tanh(rows @ weights[at + "dynamic_beta"])
    return alpha, beta


def run_sublayer(form, weights, layer, index, state):
    f, block = form, form.block(layer)
    at = f.sublayer(layer, index)
    gain = weights[block + (("norm1", "norm2") if f.seed else ("ln_1", "ln_2"))[index] + ".weight"]
    if f.hyper:
        alpha, beta = hyper_weights(f, weights, at, state)
        mixed = torch.einsum("...im,...di->...dm", alpha.expand(*state.shape[:2], -1, -1), state)
        x_in = mixed[..., 0]
    else:
        x_in = compress(f, weights, block + "compress.", state)
    c = norm(x_in, gain, f.norm_eps)
    h = attention(f, weights, layer, c) if index == 0 else mlp(f, weights, layer, c)
    if f.hyper:
        return mixed[..., 1:] + h.unsqueeze(-1) * beta.expand(*h.shape[:2], -1).unsqueeze(-2)
    return rewrite(f, weights, at, state, x_in, c, h)


def forward(form, weights, idx):
    """Logits (B, T, V) and the state behind every block."""
    f = form
    embedding = weights["token_embedding.weight" if f.seed else "transformer.wte.weight"]
    state = begin(f, weights, embedding[idx] * f.embed_scale)
    states = []
    for layer in range(f.layers):
        for index in (0, 1):
            state = run_sublayer(f, weights, layer, index, state)
        states.append(state)
    x = state.sum(-1) if f.hyper else compress(f, weights, "readout.", state)
    x = norm(x, weights["norm.weight" if f.seed else "ln_f.weight"], f.norm_eps)
    return x @ embedding.T * f.logit_scale, states


def loss_of(logits, tgt):
    """Mean cross-entropy in nats."""
    return -logits.log_softmax(-1).gather(-1, tgt.unsqueeze(-1)).mean()
