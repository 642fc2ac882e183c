#include "worker/model/layers.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

// (B,T,G,D) -> (B,T,H,D): head h reads group h / (H / G).
at::Tensor Repeat(const at::Tensor& heads, int64_t count) {
  const int64_t groups = heads.size(2);
  if (groups == count) return heads;
  return heads.unsqueeze(3)
      .expand({-1, -1, -1, count / groups, -1})
      .reshape({heads.size(0), heads.size(1), count, heads.size(3)});
}

// sdpa with default scale 1 / sqrt(D). (B,H,T,D) each; k and v may begin with earlier tokens.
at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t earlier = k.size(2) - q.size(2);
  if (earlier > 0) {
    const at::Tensor mask =
        at::ones({q.size(2), k.size(2)}, q.options().dtype(at::kBool)).tril(earlier);
    return at::scaled_dot_product_attention(q, k, v, mask);
  }
  return at::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                          /*is_causal=*/true);
}

}  // namespace

double HiddenDeviation(const ModelConfig& config) {
  return 0.5 / std::sqrt(static_cast<double>(config.d_model));
}

double OutputDeviation(const ModelConfig& config) {
  const double deviation =
      HiddenDeviation(config) / std::sqrt(static_cast<double>(config.n_layers));
  if (config.residual.kind != "hyper_connections") return deviation;
  return deviation / std::sqrt(static_cast<double>(config.residual.streams));
}

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain, double eps) {
  return at::rms_norm(x, {x.size(-1)}, gain, eps);
}

Rotary MakeRotary(const ModelConfig& config, int64_t tokens, const at::TensorOptions& options) {
  const auto head_dim = static_cast<double>(config.head_dim);
  const int64_t rotated = static_cast<int64_t>(head_dim * config.rope_ratio) / 2 * 2;
  // Angles are made on the CPU in float32, as the authors do, whatever the device.
  const at::Tensor exponent = at::arange(0, rotated, 2, at::kFloat) / static_cast<double>(rotated);
  const at::Tensor frequency = at::pow(config.rope_base, exponent).reciprocal();
  const at::Tensor angle = at::outer(at::arange(tokens, at::kFloat), frequency).unsqueeze(1);
  return {angle.cos().to(options), angle.sin().to(options), config.interleaved_pairs};
}

at::Tensor Rotate(const at::Tensor& x, const Rotary& rotary) {
  const int64_t half = rotary.cosine.size(-1);
  if (half == 0) return x;
  const bool interleaved = rotary.interleaved;
  const at::Tensor first = interleaved ? x.slice(-1, 0, 2 * half, 2) : x.narrow(-1, 0, half);
  const at::Tensor second = interleaved ? x.slice(-1, 1, 2 * half, 2) : x.narrow(-1, half, half);
  const at::Tensor turned_first = first * rotary.cosine - second * rotary.sine;
  const at::Tensor turned_second = first * rotary.sine + second * rotary.cosine;
  const at::Tensor turned = interleaved ? at::stack({turned_first, turned_second}, -1).flatten(-2)
                                        : at::cat({turned_first, turned_second}, -1);
  if (2 * half == x.size(-1)) return turned;
  return at::cat({turned, x.narrow(-1, 2 * half, x.size(-1) - 2 * half)}, -1);
}

Attention::Attention(const ModelConfig& config, const std::string& prefix, Parameters* parameters)
    : config_(config), key_heads_(config.n_kv_heads == 0 ? config.n_heads : config.n_kv_heads) {
  if (config.seed_layout) {
    AddStacked(prefix, parameters);
  } else {
    AddSeparate(prefix, parameters);
  }
  if (!config.qk_norm) return;
  const char* const suffix = config.seed_layout ? "_norm.weight" : "_rms.weight";
  query_gain_ = parameters->AddConstant(absl::StrCat(prefix, ".q", suffix), {config.head_dim}, 1.0);
  key_gain_ = parameters->AddConstant(absl::StrCat(prefix, ".k", suffix), {config.head_dim}, 1.0);
}

void Attention::AddSeparate(const std::string& prefix, Parameters* parameters) {
  const int64_t d = config_.d_model;
  const int64_t width = config_.n_heads * config_.head_dim;
  const int64_t key_width = key_heads_ * config_.head_dim;
  const double deviation = HiddenDeviation(config_);
  query_ = parameters->AddNormal(absl::StrCat(prefix, ".c_q.weight"), {width, d}, deviation);
  key_ = parameters->AddNormal(absl::StrCat(prefix, ".c_k.weight"), {key_width, d}, deviation);
  value_ = parameters->AddNormal(absl::StrCat(prefix, ".c_v.weight"), {key_width, d}, deviation);
  projection_ = parameters->AddNormal(absl::StrCat(prefix, ".c_proj.weight"), {d, width},
                                      OutputDeviation(config_));
}

void Attention::AddStacked(const std::string& prefix, Parameters* parameters) {
  const int64_t d = config_.d_model;
  const int64_t inner = (config_.n_heads + 2 * key_heads_) * config_.head_dim;
  stacked_ = parameters->AddNormal(absl::StrCat(prefix, ".qkvo_proj"), {inner + d, d},
                                   HiddenDeviation(config_));
  const at::NoGradGuard no_grad;
  stacked_.narrow(0, inner, d).mul_(OutputDeviation(config_) / HiddenDeviation(config_));
}

at::Tensor Attention::OutputWeight() const {
  if (!stacked_.defined()) return projection_;
  const int64_t d = config_.d_model;
  return stacked_.narrow(0, stacked_.size(0) - d, d);
}

Attention::Heads Attention::Project(const at::Tensor& c) const {
  const auto split = [&](const at::Tensor& rows, int64_t heads) {
    return rows.view({c.size(0), c.size(1), heads, config_.head_dim});
  };
  if (!stacked_.defined()) {
    return {split(at::linear(c, query_), config_.n_heads), split(at::linear(c, key_), key_heads_),
            split(at::linear(c, value_), key_heads_)};
  }
  const int64_t inner = (config_.n_heads + 2 * key_heads_) * config_.head_dim;
  const at::Tensor joined =
      split(at::linear(c, stacked_.narrow(0, 0, inner)), config_.n_heads + 2 * key_heads_);
  return {joined.narrow(2, 0, config_.n_heads), joined.narrow(2, config_.n_heads, key_heads_),
          joined.narrow(2, config_.n_heads + key_heads_, key_heads_)};
}

at::Tensor Attention::Position(const at::Tensor& heads, const at::Tensor& gain,
                               const Rotary& rotary) const {
  if (!gain.defined()) return Rotate(heads, rotary);
  if (config_.qk_norm_first) return Rotate(RmsNorm(heads, gain, config_.norm_eps), rotary);
  return RmsNorm(Rotate(heads, rotary), gain, config_.norm_eps);
}

at::Tensor Attention::Forward(const at::Tensor& c, const Rotary& rotary, KeyValues* past) const {
  const Heads heads = Project(c);
  const at::Tensor q = Position(heads.q, query_gain_, rotary);
  KeyValues seen{Position(heads.k, key_gain_, rotary), heads.v};
  if (past != nullptr) {
    if (past->keys.defined()) {
      seen.keys = at::cat({past->keys, seen.keys}, 1);
      seen.values = at::cat({past->values, seen.values}, 1);
    }
    *past = seen;
  }
  const at::Tensor k = Repeat(seen.keys, config_.n_heads);
  const at::Tensor v = Repeat(seen.values, config_.n_heads);
  const at::Tensor mixed = CausalAttention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2));
  return at::linear(
      mixed.transpose(1, 2).reshape({c.size(0), c.size(1), config_.n_heads * config_.head_dim}),
      OutputWeight());
}

Mlp::Mlp(const ModelConfig& config, const std::string& prefix, Parameters* parameters) {
  const int64_t d = config.d_model;
  const double deviation = HiddenDeviation(config);
  const bool seed = config.seed_layout;
  const auto name = [&](const char* paper, const char* other) {
    return absl::StrCat(prefix, ".", seed ? other : paper, ".weight");
  };
  if (!config.squared_relu) {
    gate_ = parameters->AddNormal(name("c_fc1", "gate_proj"), {config.d_ff, d}, deviation);
  }
  const char* const up = config.squared_relu ? "c_fc1" : "c_fc2";
  up_ = parameters->AddNormal(name(up, "up_proj"), {config.d_ff, d}, deviation);
  projection_ =
      parameters->AddNormal(name("c_proj", "down_proj"), {d, config.d_ff}, OutputDeviation(config));
}

at::Tensor Mlp::Forward(const at::Tensor& c) const {
  const at::Tensor up = at::linear(c, up_);
  const at::Tensor inner =
      gate_.defined() ? at::silu(at::linear(c, gate_)) * up : at::relu(up).square();
  return at::linear(inner, projection_);
}

}  // namespace ddl
