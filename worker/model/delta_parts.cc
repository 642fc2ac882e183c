#include "worker/model/delta_parts.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "worker/model/layers.h"

namespace ddl {
namespace {

constexpr double kLeastProbability = 1e-6;

// Bias that makes the initial gate 2 sigmoid(bias) = beta.
double GateBias(double beta) {
  const double p = std::clamp(beta / 2.0, kLeastProbability, 1.0 - kLeastProbability);
  return std::log(p) - std::log1p(-p);
}

}  // namespace

at::Tensor Direction(const at::Tensor& h, double k_eps) {
  const auto d = static_cast<double>(h.size(-1));
  return at::rms_norm(h, {h.size(-1)}, {}, k_eps * k_eps / d) * (1.0 / std::sqrt(d));
}

Gate::Gate(const ModelConfig& config, const std::string& prefix, Parameters* parameters) {
  const double deviation = HiddenDeviation(config);
  const int64_t hidden = config.residual.beta_hidden;
  const std::string output = absl::StrCat(prefix, hidden > 0 ? ".beta_out" : ".beta");
  if (hidden > 0) {
    hidden_ = parameters->AddNormal(absl::StrCat(prefix, ".beta_in.weight"),
                                    {hidden, config.d_model}, deviation);
  }
  weight_ = parameters->AddNormal(absl::StrCat(output, ".weight"),
                                  {1, hidden > 0 ? hidden : config.d_model}, deviation);
  bias_ = parameters->AddConstant(absl::StrCat(output, ".bias"), {1},
                                  GateBias(config.residual.beta_init));
}

at::Tensor Gate::Beta(const at::Tensor& c) const {
  const at::Tensor input = hidden_.defined() ? at::tanh(at::linear(c, hidden_)) : c;
  return 2.0 * at::sigmoid(at::linear(input, weight_, bias_));
}

ValueHead::ValueHead(const ModelConfig& config, const std::string& prefix, Parameters* parameters)
    : weight_(parameters->AddNormal(absl::StrCat(prefix, ".v_proj.weight"),
                                    {config.residual.value_channels, config.d_model},
                                    HiddenDeviation(config))),
      bias_(parameters->AddConstant(absl::StrCat(prefix, ".v_proj.bias"),
                                    {config.residual.value_channels}, 0.0)),
      sigmoid_(config.residual.v_sigmoid),
      from_norm_(config.residual.v_from_norm),
      scale_(config.residual.v_scale) {}

at::Tensor ValueHead::Value(const at::Tensor& x_in, const at::Tensor& c) const {
  const at::Tensor linear = at::linear(from_norm_ ? c : x_in, weight_, bias_);
  return sigmoid_ ? scale_ * at::sigmoid(linear) : linear;
}

EmbeddingConvolution::EmbeddingConvolution(const ModelConfig& config, const std::string& prefix,
                                           Parameters* parameters)
    : channels_(config.residual.value_channels) {
  const int64_t taps = config.residual.embed_conv_kernel;
  const at::Tensor identity = at::zeros({config.d_model * channels_, 1, taps}, at::kFloat);
  identity.select(2, taps - 1).fill_(1.0);
  weight_ = parameters->Add(absl::StrCat(prefix, ".conv.weight"), identity);
}

at::Tensor EmbeddingConvolution::Expand(const at::Tensor& embedding) const {
  const int64_t tokens = embedding.size(1);
  const int64_t taps = weight_.size(2);
  const at::Tensor padded = at::constant_pad_nd(embedding, {0, 0, taps - 1, 0}).unsqueeze(2);
  // (taps, n, d), laid out like the state: products with strides take four times as long.
  const at::Tensor weight = weight_.view({-1, channels_, taps}).permute({2, 1, 0}).contiguous();
  at::Tensor state = padded.narrow(1, 0, tokens) * weight.select(0, 0);
  for (int64_t tap = 1; tap < taps; ++tap) {
    state = at::addcmul(state, padded.narrow(1, tap, tokens), weight.select(0, tap));
  }
  return state;
}

}  // namespace ddl
