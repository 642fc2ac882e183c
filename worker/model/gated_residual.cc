#include "worker/model/gated_residual.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"
#include "worker/model/layout.h"

namespace ddl {

at::Tensor Project(const at::Tensor& direction, const at::Tensor& state) {
  return (state * direction.unsqueeze(2)).sum(-1);
}

GatedResidual::GatedResidual(const ModelConfig& config, Parameters* parameters)
    : channels_(config.residual.value_channels), k_eps_(config.residual.k_eps) {
  if (config.residual.embed_conv) embedding_.emplace(config, "input_embed", parameters);
  for (int64_t layer = 0; layer < config.n_layers; ++layer) {
    compressors_.push_back(
        MakeCompressor(config, absl::StrCat(BlockPrefix(config, layer), ".compress"), parameters));
    for (const Sublayer sublayer : {Sublayer::kAttention, Sublayer::kMlp}) {
      heads_.emplace_back(config, SublayerPrefix(config, layer, sublayer, "ddl"), parameters);
    }
  }
  read_out_ = MakeCompressor(config, "readout", parameters);
}

at::Tensor GatedResidual::Begin(const at::Tensor& embedding) const {
  if (embedding_) return embedding_->Expand(embedding);
  return embedding.unsqueeze(2).expand({-1, -1, channels_, -1});
}

void GatedResidual::Compress(const at::Tensor& state, SublayerValues* values) const {
  const Compressor* const compressor = compressors_[static_cast<size_t>(values->layer)].get();
  values->x_in = compressor == nullptr ? state.squeeze(2) : compressor->Compress(state);
}

at::Tensor GatedResidual::ReadOut(const at::Tensor& state) const {
  return read_out_ == nullptr ? state.squeeze(2) : read_out_->Compress(state);
}

at::Tensor GatedResidual::Rewrite(const at::Tensor& state, const SublayerValues& values,
                                  GateStatistics* gates) const {
  const SublayerHeads& heads = heads_[SublayerIndex(values.layer, values.sublayer)];
  const at::Tensor k = Direction(values.h, k_eps_);
  const at::Tensor beta = heads.gate.Beta(values.c);
  const at::Tensor v = heads.value.Value(values.x_in, values.c);
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
