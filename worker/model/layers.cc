#include "worker/model/layers.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

// sdpa with default scale 1 / sqrt(D). (B,H,T,D) each.
at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return at::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                          /*is_causal=*/true);
}

}  // namespace

double HiddenDeviation(const ModelConfig& config) {
  return 0.5 / std::sqrt(static_cast<double>(config.d_model));
}

double OutputDeviation(const ModelConfig& config) {
  return HiddenDeviation(config) / std::sqrt(static_cast<double>(config.n_layers));
}

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain) {
  return at::rms_norm(x, {x.size(-1)}, gain, kNormEps);
}

Rotary MakeRotary(const ModelConfig& config, int64_t tokens, at::Device device) {
  const auto head_dim = static_cast<double>(config.head_dim);
  const int64_t rotated = static_cast<int64_t>(head_dim * config.rope_ratio) / 2 * 2;
  // Angles are made on the CPU in float32, as the authors do, whatever the device.
  const at::Tensor exponent = at::arange(0, rotated, 2, at::kFloat) / static_cast<double>(rotated);
  const at::Tensor frequency = at::pow(config.rope_base, exponent).reciprocal();
  const at::Tensor angle = at::outer(at::arange(tokens, at::kFloat), frequency).unsqueeze(1);
  return {angle.cos().to(device), angle.sin().to(device)};
}

at::Tensor Rotate(const at::Tensor& x, const Rotary& rotary) {
  const int64_t half = rotary.cosine.size(-1);
  if (half == 0) return x;
  const at::Tensor first = x.narrow(-1, 0, half);
  const at::Tensor second = x.narrow(-1, half, half);
  const at::Tensor turned_first = first * rotary.cosine - second * rotary.sine;
  const at::Tensor turned_second = first * rotary.sine + second * rotary.cosine;
  if (2 * half == x.size(-1)) return at::cat({turned_first, turned_second}, -1);
  const at::Tensor rest = x.narrow(-1, 2 * half, x.size(-1) - 2 * half);
  return at::cat({turned_first, turned_second, rest}, -1);
}

Attention::Attention(const ModelConfig& config, const std::string& prefix, Parameters* parameters)
    : heads_(config.n_heads), head_dim_(config.head_dim) {
  const int64_t d = config.d_model;
  const int64_t width = heads_ * head_dim_;
  const double deviation = HiddenDeviation(config);
  query_ = parameters->AddNormal(absl::StrCat(prefix, ".c_q.weight"), {width, d}, deviation);
  key_ = parameters->AddNormal(absl::StrCat(prefix, ".c_k.weight"), {width, d}, deviation);
  value_ = parameters->AddNormal(absl::StrCat(prefix, ".c_v.weight"), {width, d}, deviation);
  projection_ = parameters->AddNormal(absl::StrCat(prefix, ".c_proj.weight"), {d, width},
                                      OutputDeviation(config));
  if (config.qk_norm) {
    query_gain_ = parameters->AddConstant(absl::StrCat(prefix, ".q_rms.weight"), {head_dim_}, 1.0);
    key_gain_ = parameters->AddConstant(absl::StrCat(prefix, ".k_rms.weight"), {head_dim_}, 1.0);
  }
}

at::Tensor Attention::Heads(const at::Tensor& c, const at::Tensor& weight) const {
  return at::linear(c, weight).view({c.size(0), c.size(1), heads_, head_dim_});
}

at::Tensor Attention::Forward(const at::Tensor& c, const Rotary& rotary) const {
  at::Tensor q = Rotate(Heads(c, query_), rotary);
  at::Tensor k = Rotate(Heads(c, key_), rotary);
  if (query_gain_.defined()) {
    q = RmsNorm(q, query_gain_);
    k = RmsNorm(k, key_gain_);
  }
  const at::Tensor mixed =
      CausalAttention(q.transpose(1, 2), k.transpose(1, 2), Heads(c, value_).transpose(1, 2));
  return at::linear(mixed.transpose(1, 2).reshape({c.size(0), c.size(1), heads_ * head_dim_}),
                    projection_);
}

Mlp::Mlp(const ModelConfig& config, const std::string& prefix, Parameters* parameters) {
  const int64_t d = config.d_model;
  const double deviation = HiddenDeviation(config);
  gate_ = parameters->AddNormal(absl::StrCat(prefix, ".c_fc1.weight"), {config.d_ff, d}, deviation);
  up_ = parameters->AddNormal(absl::StrCat(prefix, ".c_fc2.weight"), {config.d_ff, d}, deviation);
  projection_ = parameters->AddNormal(absl::StrCat(prefix, ".c_proj.weight"), {d, config.d_ff},
                                      OutputDeviation(config));
}

at::Tensor Mlp::Forward(const at::Tensor& c) const {
  return at::linear(at::silu(at::linear(c, gate_)) * at::linear(c, up_), projection_);
}

}  // namespace ddl
