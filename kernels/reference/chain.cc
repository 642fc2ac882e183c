#include "kernels/reference/chain.h"

#include "kernels/reference/heads.h"
#include "kernels/reference/hyper_connections.h"

namespace ddl::kernels::reference {
namespace {

std::string Named(const char* part, int64_t sublayer) {
  return std::to_string(sublayer) + "." + part;
}

// Views of the named weights as the parts that use them.
class Parts {
 public:
  Parts(const ChainConfig& config, const Weights& weights) : c_(config), w_(weights) {}

  const Vector& Get(const char* part, int64_t sublayer) const {
    return w_.at(Named(part, sublayer));
  }
  Compressor MakeCompressor() const {
    if (c_.compressor == Compressor::Kind::kNone) return {.n = 1, .d = c_.d, .tokens = c_.tokens};
    return {.kind = c_.compressor,
            .n = c_.n,
            .d = c_.d,
            .taps = c_.compressor_taps,
            .tokens = c_.tokens,
            .kernel = w_.at("compress.kernel"),
            .read = w_.at("compress.read")};
  }
  EmbeddingConvolution MakeEmbedding() const {
    const bool repeats = c_.embedding_taps == 0;
    return {.n = c_.n,
            .d = c_.d,
            .taps = c_.embedding_taps,
            .tokens = c_.tokens,
            .kernel = repeats ? Vector() : w_.at("embedding.kernel")};
  }
  Gate MakeGate(int64_t sublayer) const {
    return {.input = c_.gate_hidden > 0 ? Get("gate.input", sublayer) : Vector(),
            .output = Get("gate.output", sublayer),
            .bias = Get("gate.bias", sublayer)[0]};
  }
  ValueHead MakeValue(int64_t sublayer) const {
    return {.weight = Get("value.weight", sublayer),
            .bias = Get("value.bias", sublayer),
            .scale = c_.v_scale};
  }
  HyperConnection MakeConnection(int64_t sublayer) const {
    return {.n = c_.n,
            .d = c_.d,
            .norm_eps = c_.norm_eps,
            .dynamic = c_.dynamic,
            .static_alpha = Get("hc.static_alpha", sublayer),
            .static_beta = Get("hc.static_beta", sublayer),
            .gain = Get("hc.gain", sublayer),
            .w_alpha = Get("hc.w_alpha", sublayer),
            .w_beta = Get("hc.w_beta", sublayer),
            .scale_alpha = Get("hc.scale_alpha", sublayer)[0],
            .scale_beta = Get("hc.scale_beta", sublayer)[0]};
  }

 private:
  const ChainConfig& c_;
  const Weights& w_;
};

Vector Row(const Vector& rows, int64_t t, int64_t width) {
  return {rows.begin() + t * width, rows.begin() + (t + 1) * width};
}

void AddRow(const Vector& row, int64_t t, Vector* rows) {
  AddScaled(1.0, row.data(), static_cast<int64_t>(row.size()),
            &(*rows)[t * static_cast<int64_t>(row.size())]);
}

Vector Sublayer(const Vector& matrix, const Vector& c) {
  Vector h = c;
  const auto d = static_cast<int64_t>(c.size());
  for (int64_t i = 0; i < d; ++i) h[i] = std::tanh(Dot(&matrix[i * d], c.data(), d));
  return h;
}

// What one token's sublayer computes on its way, kept for the way back.
struct TokenValues {
  Vector x, c, h;
  RewriteInput rewrite;
};

class Chain {
 public:
  Chain(const ChainConfig& config, const Weights& weights)
      : c_(config), w_(weights), parts_(config, weights), rows_(config.tokens * config.sequences) {}

  Vector Forward() {
    Vector state = Expand(parts_.MakeEmbedding(), w_.at("embedding"));
    for (int64_t s = 0; s < c_.sublayers; ++s) {
      states_.push_back(state);
      state = Step(s, state);
    }
    states_.push_back(state);
    return Read(state);
  }

  Weights Backward(const Vector& d_out);

 private:
  Vector SublayerInput(int64_t s, const Vector& state) const {
    if (!c_.hyper_connections) return Compress(parts_.MakeCompressor(), state);
    Vector x = Zeros(rows_ * c_.d);
    for (int64_t t = 0; t < rows_; ++t) {
      AddRow(StreamInput(parts_.MakeConnection(s), Row(state, t, c_.n * c_.d)), t, &x);
    }
    return x;
  }
  TokenValues Values(int64_t s, int64_t t, const Vector& x, const Vector& state) const {
    TokenValues out{.x = Row(x, t, c_.d)};
    out.c = RmsNorm(out.x, parts_.Get("gain", s), c_.norm_eps);
    out.h = Sublayer(parts_.Get("matrix", s), out.c);
    out.rewrite = {.kind = c_.kind,
                   .n = c_.n,
                   .d = c_.d,
                   .eps = c_.k_eps,
                   .state = Row(state, t, c_.n * c_.d),
                   .h = out.h,
                   .v = Zeros(c_.n)};
    if (gated()) {
      out.rewrite.v = Value(parts_.MakeValue(s), c_.v_from_c ? out.c : out.x);
      out.rewrite.beta = Beta(parts_.MakeGate(s), out.c);
    }
    return out;
  }
  Vector Step(int64_t s, const Vector& state) const {
    const Vector x = SublayerInput(s, state);
    Vector next = Zeros(rows_ * c_.n * c_.d);
    for (int64_t t = 0; t < rows_; ++t) {
      const TokenValues values = Values(s, t, x, state);
      AddRow(c_.hyper_connections
                 ? NextStreams(parts_.MakeConnection(s), values.rewrite.state, values.h)
                 : reference::Rewrite(values.rewrite),
             t, &next);
    }
    return next;
  }
  Compressor ReadOut() const {
    Compressor compressor = parts_.MakeCompressor();
    if (compressor.kind == Compressor::Kind::kNone) return compressor;
    compressor.kernel = w_.at("readout.kernel");
    compressor.read = w_.at("readout.read");
    return compressor;
  }
  Vector ReadInput(const Vector& state) const {
    if (!c_.hyper_connections) return Compress(ReadOut(), state);
    Vector x = Zeros(rows_ * c_.d);
    for (int64_t row = 0; row < rows_ * c_.n; ++row) {
      AddScaled(1.0, &state[row * c_.d], c_.d, &x[row / c_.n * c_.d]);
    }
    return x;
  }
  Vector Read(const Vector& state) const {
    const Vector x = ReadInput(state);
    Vector out = Zeros(rows_ * c_.d);
    for (int64_t t = 0; t < rows_; ++t) {
      AddRow(RmsNorm(Row(x, t, c_.d), w_.at("readout.gain"), c_.norm_eps), t, &out);
    }
    return out;
  }
  bool gated() const { return !c_.hyper_connections && c_.kind != RewriteKind::kAdditive; }

  Vector ReadBackward(const Vector& d_out);
  Vector StepBackward(int64_t s, const Vector& d_next);
  Vector TokenBackward(int64_t s, const TokenValues& values, const Vector& d_next, Vector* d_state);
  void HeadsBackward(int64_t s, const TokenValues& values, const RewriteGradients& d, Vector* d_x,
                     Vector* d_c);
  void AddConnection(int64_t s, const HyperConnection& d);
  Vector& Gradient(const std::string& name) { return gradients_.at(name); }

  const ChainConfig& c_;
  const Weights& w_;
  Parts parts_;
  int64_t rows_;
  std::vector<Vector> states_;  // Before each sublayer, and behind the last.
  Weights gradients_;
};

void Chain::HeadsBackward(int64_t s, const TokenValues& values, const RewriteGradients& d,
                          Vector* d_x, Vector* d_c) {
  ValueHead d_head{.weight = Zeros(c_.n * c_.d), .bias = Zeros(c_.n)};
  ValueBackward(parts_.MakeValue(s), c_.v_from_c ? values.c : values.x, d.v,
                c_.v_from_c ? d_c : d_x, &d_head);
  AddRow(d_head.weight, 0, &Gradient(Named("value.weight", s)));
  AddRow(d_head.bias, 0, &Gradient(Named("value.bias", s)));
  const Gate gate = parts_.MakeGate(s);
  GateGradients d_gate = ZerosLike(gate);
  BetaBackward(gate, values.c, d.beta, d_c, &d_gate);
  if (c_.gate_hidden > 0) AddRow(d_gate.input, 0, &Gradient(Named("gate.input", s)));
  AddRow(d_gate.output, 0, &Gradient(Named("gate.output", s)));
  Gradient(Named("gate.bias", s))[0] += d_gate.bias;
}

void Chain::AddConnection(int64_t s, const HyperConnection& d) {
  AddRow(d.static_alpha, 0, &Gradient(Named("hc.static_alpha", s)));
  AddRow(d.static_beta, 0, &Gradient(Named("hc.static_beta", s)));
  AddRow(d.gain, 0, &Gradient(Named("hc.gain", s)));
  AddRow(d.w_alpha, 0, &Gradient(Named("hc.w_alpha", s)));
  AddRow(d.w_beta, 0, &Gradient(Named("hc.w_beta", s)));
  Gradient(Named("hc.scale_alpha", s))[0] += d.scale_alpha;
  Gradient(Named("hc.scale_beta", s))[0] += d.scale_beta;
}

// Returns the gradient of x; adds that of the state through the rewrite.
Vector Chain::TokenBackward(int64_t s, const TokenValues& values, const Vector& d_next,
                            Vector* d_state) {
  Vector d_x = Zeros(c_.d);
  Vector d_c = Zeros(c_.d);
  Vector d_h = Zeros(c_.d);
  if (c_.hyper_connections) {
    HyperConnection d = ZerosLike(parts_.MakeConnection(s));
    NextStreamsBackward(parts_.MakeConnection(s), values.rewrite.state, values.h, d_next, d_state,
                        &d_h, &d);
    AddConnection(s, d);
  } else {
    const RewriteGradients d = RewriteBackward(values.rewrite, d_next);
    AddRow(d.state, 0, d_state);
    d_h = d.h;
    if (gated()) HeadsBackward(s, values, d, &d_x, &d_c);
  }
  const Vector& matrix = parts_.Get("matrix", s);
  for (int64_t i = 0; i < c_.d; ++i) {
    const double d_sum = d_h[i] * (1.0 - values.h[i] * values.h[i]);
    AddScaled(d_sum, values.c.data(), c_.d, &Gradient(Named("matrix", s))[i * c_.d]);
    AddScaled(d_sum, &matrix[i * c_.d], c_.d, d_c.data());
  }
  RmsNormBackward(values.x, parts_.Get("gain", s), c_.norm_eps, d_c, &d_x,
                  &Gradient(Named("gain", s)));
  return d_x;
}

Vector Chain::StepBackward(int64_t s, const Vector& d_next) {
  const Vector& state = states_[s];
  const Vector x = SublayerInput(s, state);
  const int64_t width = c_.n * c_.d;
  Vector d_state = Zeros(rows_ * width);
  Vector d_x = Zeros(rows_ * c_.d);
  for (int64_t t = 0; t < rows_; ++t) {
    const TokenValues values = Values(s, t, x, state);
    Vector d_row = Zeros(width);
    const Vector d_token = TokenBackward(s, values, Row(d_next, t, width), &d_row);
    AddRow(d_token, t, &d_x);
    if (c_.hyper_connections) {
      HyperConnection d = ZerosLike(parts_.MakeConnection(s));
      StreamInputBackward(parts_.MakeConnection(s), values.rewrite.state, d_token, &d_row, &d);
      AddConnection(s, d);
    }
    AddRow(d_row, t, &d_state);
  }
  if (!c_.hyper_connections) {
    Vector none;
    const bool weighted = c_.compressor != Compressor::Kind::kNone;
    CompressBackward(parts_.MakeCompressor(), state, d_x, &d_state,
                     weighted ? &Gradient("compress.kernel") : &none,
                     weighted ? &Gradient("compress.read") : &none);
  }
  return d_state;
}

Vector Chain::ReadBackward(const Vector& d_out) {
  const Vector& state = states_.back();
  const Vector x = ReadInput(state);
  Vector d_x = Zeros(rows_ * c_.d);
  for (int64_t t = 0; t < rows_; ++t) {
    Vector d_row = Zeros(c_.d);
    RmsNormBackward(Row(x, t, c_.d), w_.at("readout.gain"), c_.norm_eps, Row(d_out, t, c_.d),
                    &d_row, &Gradient("readout.gain"));
    AddRow(d_row, t, &d_x);
  }
  Vector d_state = Zeros(static_cast<int64_t>(state.size()));
  if (c_.hyper_connections) {
    for (int64_t row = 0; row < rows_ * c_.n; ++row) {
      AddScaled(1.0, &d_x[row / c_.n * c_.d], c_.d, &d_state[row * c_.d]);
    }
    return d_state;
  }
  Vector none;
  const bool weighted = c_.compressor != Compressor::Kind::kNone;
  CompressBackward(ReadOut(), state, d_x, &d_state, weighted ? &Gradient("readout.kernel") : &none,
                   weighted ? &Gradient("readout.read") : &none);
  return d_state;
}

Weights Chain::Backward(const Vector& d_out) {
  gradients_ = MakeWeights(c_, [](const std::string&, int64_t) { return 0.0; });
  Vector d_state = ReadBackward(d_out);
  for (int64_t s = c_.sublayers - 1; s >= 0; --s) d_state = StepBackward(s, d_state);
  Vector none;
  ExpandBackward(parts_.MakeEmbedding(), w_.at("embedding"), d_state, &Gradient("embedding"),
                 c_.embedding_taps > 0 ? &Gradient("embedding.kernel") : &none);
  return gradients_;
}

}  // namespace

std::map<std::string, int64_t> WeightSizes(const ChainConfig& c) {
  std::map<std::string, int64_t> sizes = {{"embedding", c.tokens * c.sequences * c.d},
                                          {"readout.gain", c.d}};
  if (c.embedding_taps > 0) sizes["embedding.kernel"] = c.d * c.n * c.embedding_taps;
  if (c.compressor != Compressor::Kind::kNone) {
    const bool channel = c.compressor == Compressor::Kind::kChannel;
    for (const char* part : {"compress", "readout"}) {
      sizes[std::string(part) + ".kernel"] = c.d * c.compressor_taps * (channel ? 1 : c.n);
      sizes[std::string(part) + ".read"] = c.n;
    }
  }
  for (int64_t s = 0; s < c.sublayers; ++s) {
    sizes[Named("gain", s)] = c.d;
    sizes[Named("matrix", s)] = c.d * c.d;
    if (c.hyper_connections) {
      sizes[Named("hc.static_alpha", s)] = c.n * (c.n + 1);
      sizes[Named("hc.static_beta", s)] = c.n;
      sizes[Named("hc.gain", s)] = c.d;
      sizes[Named("hc.w_alpha", s)] = c.d * (c.n + 1);
      sizes[Named("hc.w_beta", s)] = c.d;
      sizes[Named("hc.scale_alpha", s)] = 1;
      sizes[Named("hc.scale_beta", s)] = 1;
    } else if (c.kind != RewriteKind::kAdditive) {
      if (c.gate_hidden > 0) sizes[Named("gate.input", s)] = c.gate_hidden * c.d;
      sizes[Named("gate.output", s)] = c.gate_hidden > 0 ? c.gate_hidden : c.d;
      sizes[Named("gate.bias", s)] = 1;
      sizes[Named("value.weight", s)] = c.n * c.d;
      sizes[Named("value.bias", s)] = c.n;
    }
  }
  return sizes;
}

Vector RunChain(const ChainConfig& config, const Weights& weights) {
  return Chain(config, weights).Forward();
}

Weights RunChainBackward(const ChainConfig& config, const Weights& weights, const Vector& d_out) {
  Chain chain(config, weights);
  chain.Forward();
  return chain.Backward(d_out);
}

}  // namespace ddl::kernels::reference
