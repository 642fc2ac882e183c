// The parts that every backbone shares: norm, rotary positions, attention, MLP.
// Shapes: B batch, T tokens, d model width, H heads, D head width.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "worker/model/model_config.h"
#include "worker/model/parameters.h"

namespace ddl {

inline constexpr double kNormEps = 1e-5;

// x / rms(x) * gain over the last axis.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain);

// Cosines and sines of rotary positions 0 .. T - 1, each (T, 1, R/2). Only the leading R of D
// features rotate, in half-split pairs (i, i + R/2).
struct Rotary {
  at::Tensor cosine;
  at::Tensor sine;
};
Rotary MakeRotary(const ModelConfig& config, int64_t tokens, at::Device device);
// x (B,T,H,D), rotated.
at::Tensor Rotate(const at::Tensor& x, const Rotary& rotary);

// Causal multi-head attention; queries and keys get a learned RMSNorm after their rotation.
class Attention {
 public:
  Attention(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Forward(const at::Tensor& c, const Rotary& rotary) const;  // (B,T,d) -> (B,T,d)

 private:
  at::Tensor Heads(const at::Tensor& c, const at::Tensor& weight) const;

  int64_t heads_;
  int64_t head_dim_;
  at::Tensor query_, key_, value_, projection_;
  at::Tensor query_gain_, key_gain_;  // Undefined without QK-norm.
};

// SwiGLU: W3 (silu(W1 c) * W2 c).
class Mlp {
 public:
  Mlp(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Forward(const at::Tensor& c) const;  // (B,T,d) -> (B,T,d)

 private:
  at::Tensor gate_, up_, projection_;
};

// Initial deviations of ddl.md section 4: 0.5 / sqrt(d), and that over sqrt(L) for the projections
// that end a sublayer.
double HiddenDeviation(const ModelConfig& config);
double OutputDeviation(const ModelConfig& config);

}  // namespace ddl
