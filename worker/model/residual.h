// How a sublayer's output enters the residual state: the seam that variants of the paper plug into.
//
// The state has one shape for all variants, (B, T, n, d), channels or streams before features so
// that each is contiguous; plain residuals have n = 1. A new variant is one file that derives from
// Residual and one line in residual_registry.cc.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/model/gate_statistics.h"
#include "worker/model/model_config.h"
#include "worker/model/parameters.h"

namespace ddl {

// What a rewrite reads, beside the state: ddl.md section 2.
struct SublayerValues {
  int64_t layer = 0;
  Sublayer sublayer = Sublayer::kAttention;
  std::array<at::Tensor, 2> kept;  // What Compress keeps for Rewrite; undefined for most residuals.
  at::Tensor x_in;                 // (B,T,d) compressed state.
  at::Tensor c;                    // (B,T,d) its RMSNorm.
  at::Tensor h;                    // (B,T,d) output of attention or MLP.
};

class Residual {
 public:
  virtual ~Residual() = default;
  Residual() = default;
  Residual(const Residual&) = delete;
  Residual& operator=(const Residual&) = delete;

  // (B,T,d) -> state. Begin, Compress and ReadOut are at first those of a state of one vector.
  virtual at::Tensor Begin(const at::Tensor& embedding) const { return embedding.unsqueeze(2); }
  // Sets x_in, and `kept`, of values whose place is set.
  virtual void Compress(const at::Tensor& state, SublayerValues* values) const {
    values->x_in = state.squeeze(2);
  }
  // The state behind the sublayer. `gates` may be null, and is unless has_gates().
  virtual at::Tensor Rewrite(const at::Tensor& state, const SublayerValues& values,
                             GateStatistics* gates) const = 0;
  virtual at::Tensor ReadOut(const at::Tensor& state) const { return state.squeeze(2); }  // (B,T,d)
  virtual bool has_gates() const = 0;
};

// Makes the residual that config.residual.kind names, and its weights. The kind is a known one.
std::unique_ptr<Residual> MakeResidual(const ModelConfig& config, Parameters* parameters);

// All kinds, in the order of the registry.
std::vector<std::string> ResidualKinds();

}  // namespace ddl
