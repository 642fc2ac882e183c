// What `ddl` and `write_only` share: the state, its compressors, and for every sublayer a
// direction, a gate and a value. A variant only says which row it writes along the direction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/model/compressor.h"
#include "worker/model/delta_parts.h"
#include "worker/model/residual.h"

namespace ddl {

class GatedResidual : public Residual {
 public:
  GatedResidual(const ModelConfig& config, Parameters* parameters);

  at::Tensor Begin(const at::Tensor& embedding) const override;
  void Compress(const at::Tensor& state, SublayerValues* values) const override;
  at::Tensor Rewrite(const at::Tensor& state, const SublayerValues& values,
                     GateStatistics* gates) const override;
  at::Tensor ReadOut(const at::Tensor& state) const override;
  bool has_gates() const override { return true; }

 protected:
  // The row (B,T,n) that X' = X + beta k row^T adds, of value v and projection k^T X, which is
  // undefined unless reads_projection().
  virtual at::Tensor Row(const at::Tensor& v, const at::Tensor& projection) const = 0;
  virtual bool reads_projection() const = 0;

 private:
  int64_t channels_;
  double k_eps_;
  std::optional<EmbeddingConvolution> embedding_;
  // One a block, shared by its sublayers; null for a scalar state.
  std::vector<std::unique_ptr<Compressor>> compressors_;
  std::unique_ptr<Compressor> read_out_;
  std::vector<SublayerHeads> heads_;  // [SublayerIndex]
};

// k^T X of direction (B,T,d) and state (B,T,n,d): (B,T,n).
at::Tensor Project(const at::Tensor& direction, const at::Tensor& state);

}  // namespace ddl
