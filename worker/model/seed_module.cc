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
      heads_.emplace_back(config, SublayerPrefix(config, layer, sublayer, "ddl"), parameters);
    }
  }
}

at::Tensor SeedModule::Rewrite(const at::Tensor& state, const SublayerValues& values,
                               GateStatistics* gates) const {
  const SublayerHeads& heads = heads_[SublayerIndex(values.layer, values.sublayer)];
  const at::Tensor k = SeedDirection(values.h, eps_);
  const at::Tensor beta = heads.gate.Beta(values.c);
  const at::Tensor v = heads.value.Value(values.x_in, values.c);
  const at::Tensor projection = (k * values.x_in).sum(-1, /*keepdim=*/true);
  if (gates != nullptr) gates->Observe(values.layer, values.sublayer, beta, v - projection);
  return state * (beta * Target(v, projection) * k).unsqueeze(2);
}

}  // namespace ddl
