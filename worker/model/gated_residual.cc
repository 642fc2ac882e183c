#include "worker/model/gated_residual.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"

namespace ddl {

at::Tensor Project(const at::Tensor& direction, const at::Tensor& state) {
  return (state * direction.unsqueeze(2)).sum(-1);
}

GatedResidual::Heads GatedResidual::MakeHeads(const ModelConfig& config, const std::string& prefix,
                                              Parameters* parameters) {
  Gate gate(config, prefix, parameters);
  ValueHead value(config, prefix, parameters);
  return {std::move(gate), std::move(value)};
}

GatedResidual::GatedResidual(const ModelConfig& config, Parameters* parameters)
    : channels_(config.residual.value_channels), k_eps_(config.residual.k_eps) {
  const bool expanded = channels_ > 1;
  if (expanded && config.residual.embed_conv) {
    embedding_.emplace(config, "input_embed", parameters);
  }
  for (int64_t layer = 0; layer < config.n_layers; ++layer) {
    const std::string prefix = BlockPrefix(layer);
    if (expanded) compressors_.emplace_back(config, absl::StrCat(prefix, ".compress"), parameters);
    heads_.push_back(MakeHeads(config, absl::StrCat(prefix, ".ddl_attn"), parameters));
    heads_.push_back(MakeHeads(config, absl::StrCat(prefix, ".ddl_mlp"), parameters));
  }
  if (expanded) read_out_.emplace(config, "readout", parameters);
}

at::Tensor GatedResidual::Begin(const at::Tensor& embedding) const {
  if (embedding_) return embedding_->Expand(embedding);
  return embedding.unsqueeze(2).expand({-1, -1, channels_, -1});
}

at::Tensor GatedResidual::Compress(int64_t layer, const at::Tensor& state) const {
  if (compressors_.empty()) return state.squeeze(2);
  return compressors_[static_cast<size_t>(layer)].Compress(state);
}

at::Tensor GatedResidual::ReadOut(const at::Tensor& state) const {
  return read_out_ ? read_out_->Compress(state) : state.squeeze(2);
}

at::Tensor GatedResidual::Rewrite(const at::Tensor& state, const SublayerValues& values,
                                  GateStatistics* gates) const {
  const Heads& heads = heads_[static_cast<size_t>(values.layer * kSublayers +
                                                  static_cast<int64_t>(values.sublayer))];
  const at::Tensor k = Direction(values.h, k_eps_);
  const at::Tensor beta = heads.gate.Beta(values.c);
  const at::Tensor v = heads.value.Value(values.x_in);
  const at::Tensor projection = reads_projection() ? Project(k, state) : at::Tensor();
  if (gates != nullptr) {
    const at::NoGradGuard no_grad;
    const at::Tensor seen = projection.defined() ? projection : Project(k, state);
    gates->Observe(values.layer, values.sublayer, beta, v - seen);
  }
  const at::Tensor row = beta * Row(v, projection);
  return at::addcmul(state, k.unsqueeze(2), row.unsqueeze(3));
}

}  // namespace ddl
