// The gates of a forward pass, one by one, for people who watch a model write.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "worker/model/gate_statistics.h"

namespace ddl {

class GateTrace final : public GateStatistics {
 public:
  explicit GateTrace(int64_t layers)
      : GateStatistics(layers, at::kCPU), betas_(static_cast<size_t>(layers * kSublayers)) {}

  void Observe(int64_t layer, Sublayer sublayer, const at::Tensor& beta,
               const at::Tensor& discrepancy) override {
    GateStatistics::Observe(layer, sublayer, beta, discrepancy);
    betas_[SublayerIndex(layer, sublayer)] = beta.detach().squeeze(-1);
  }

  // (B,T) of the last pass, [SublayerIndex].
  const std::vector<at::Tensor>& betas() const { return betas_; }

 private:
  std::vector<at::Tensor> betas_;
};

}  // namespace ddl
