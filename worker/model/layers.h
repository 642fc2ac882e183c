// The parts that both backbones share: norm, rotary positions, attention, MLP.
// Shapes: B batch, T tokens, d model width, H heads, G key and value heads, D head width.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "worker/model/model_config.h"
#include "worker/model/parameters.h"
#include "worker/model/past.h"

namespace ddl {

// x / rms(x) * gain over the last axis; rms(x)^2 = mean(x^2) + eps. Without a gain, x / rms(x).
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain, double eps);

// Cosines and sines of rotary positions 0 .. T - 1, or of a part of them, each (T, 1, R/2). Only
// the leading R of D features rotate, in pairs (i, i + R/2) or, interleaved, (2i, 2i + 1).
struct Rotary {
  at::Tensor cosine;
  at::Tensor sine;
  bool interleaved = false;
};
// R = rope_ratio * D, rounded down to an even number.
Rotary MakeRotary(const ModelConfig& config, int64_t tokens, const at::TensorOptions& options);
// x (B,T,H,D), rotated.
at::Tensor Rotate(const at::Tensor& x, const Rotary& rotary);

// Causal attention in which groups of H / G query heads share a head of keys and values. Queries
// and keys may get a learned RMSNorm, before or after their rotation.
class Attention {
 public:
  Attention(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  // (B,T,d) -> (B,T,d). With `past`, keys and values of earlier tokens come before those of these,
  // and are kept there.
  at::Tensor Forward(const at::Tensor& c, const Rotary& rotary, KeyValues* past = nullptr) const;

 private:
  struct Heads {
    at::Tensor q, k, v;  // (B,T,H,D), (B,T,G,D) twice.
  };
  void AddSeparate(const std::string& prefix, Parameters* parameters);
  void AddStacked(const std::string& prefix, Parameters* parameters);
  Heads Project(const at::Tensor& c) const;
  at::Tensor Position(const at::Tensor& heads, const at::Tensor& gain, const Rotary& rotary) const;
  at::Tensor OutputWeight() const;

  ModelConfig config_;
  int64_t key_heads_;
  at::Tensor query_, key_, value_, projection_;  // Of the paper's layout.
  at::Tensor stacked_;                // Of the seed's: rows of queries, keys, values and output.
  at::Tensor query_gain_, key_gain_;  // Undefined without QK-norm.
};

// SwiGLU, W3 (silu(W1 c) * W2 c), or squared ReLU, W3 relu(W2 c)^2.
class Mlp {
 public:
  Mlp(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Forward(const at::Tensor& c) const;  // (B,T,d) -> (B,T,d)

 private:
  at::Tensor gate_;  // Undefined for squared ReLU.
  at::Tensor up_, projection_;
};

// Initial deviations of ddl.md section 4: 0.5 / sqrt(d), and that over sqrt(L) for the projections
// that end a sublayer; with hyper-connections these are divided by sqrt(streams) too, because the
// streams are summed.
double HiddenDeviation(const ModelConfig& config);
double OutputDeviation(const ModelConfig& config);

}  // namespace ddl
