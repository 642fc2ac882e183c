#include "worker/model/seed_module.h"

#include "worker/model/layout.h"

namespace ddl {

at::Tensor SeedDirection(const at::Tensor& h, double eps) {
  return h / h.abs().sum(-1, /*keepdim=*/true).clamp_min(eps);
}

SeedModule::SeedModule(const ModelConfig& config, Parameters* parameters)
    : eps_(config.residual.k_eps) {
  for (int64_t layer = 0; layer < config.n_layers; ++layer) {
    for (const Sublayer sublayer : {Sublayer::kAttention, Sublayer::kMlp}) {
      const std::string prefix = SublayerPrefix(config, layer, sublayer, "ddl");
      Gate gate(config, prefix, parameters);
      heads_.push_back({std::move(gate), ValueHead(config, prefix, parameters)});
    }
  }
}

at::Tensor SeedModule::Begin(const at::Tensor& embedding) const { return embedding.unsqueeze(2); }

void SeedModule::Compress(const at::Tensor& state, SublayerValues* values) const {
  values->x_in = state.squeeze(2);
}

at::Tensor SeedModule::ReadOut(const at::Tensor& state) const { return state.squeeze(2); }

at::Tensor SeedModule::Rewrite(const at::Tensor& state, const SublayerValues& values,
                               GateStatistics* gates) const {
  const Heads& heads = heads_[static_cast<size_t>(values.layer * kSublayers +
                                                  static_cast<int64_t>(values.sublayer))];
  const at::Tensor k = SeedDirection(values.h, eps_);
  const at::Tensor beta = heads.gate.Beta(values.c);
  const at::Tensor v = heads.value.Value(values.x_in, values.c);
  const at::Tensor projection = (k * values.x_in).sum(-1, /*keepdim=*/true);
  if (gates != nullptr) gates->Observe(values.layer, values.sublayer, beta, v - projection);
  return state * (beta * Target(v, projection) * k).unsqueeze(2);
}

}  // namespace ddl
