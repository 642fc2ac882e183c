// What `seed_deepdeltares` and `seed_write_only` share: the module of Open-Superintelligence-Lab's
// 5-dollar-llm, pull request 95, on a scalar state. It multiplies the state where the paper adds to
// it: x' = x * (beta u k), with u = v - k^T x in that module.
#pragma once

#include <string>
#include <vector>

#include "worker/model/delta_parts.h"
#include "worker/model/residual.h"

namespace ddl {

// k = h / max(|h|_1, eps) over the last axis.
at::Tensor SeedDirection(const at::Tensor& h, double eps);

class SeedModule : public Residual {
 public:
  SeedModule(const ModelConfig& config, Parameters* parameters);

  at::Tensor Rewrite(const at::Tensor& state, const SublayerValues& values,
                     GateStatistics* gates) const override;
  bool has_gates() const override { return true; }

 protected:
  // u (B,T,1) of value v and projection k^T x.
  virtual at::Tensor Target(const at::Tensor& v, const at::Tensor& projection) const = 0;

 private:
  double eps_;
  std::vector<SublayerHeads> heads_;  // [SublayerIndex]
};

}  // namespace ddl
