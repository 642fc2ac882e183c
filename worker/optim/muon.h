// Muon: momentum, orthogonalised. Each matrix moves along the polar factor of its Nesterov momentum
// (Jordan et al., 2024), found by five "Polar Express" steps (Amsel et al., arXiv 2505.16932) in
// bfloat16, with the coefficients of ddl.md section 4.
#pragma once

#include <ATen/ATen.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "worker/optim/muon_config.h"

namespace ddl {

// kInvalidArgument unless `shape` has two axes, none of them empty: Muon is not defined on vectors.
absl::Status CheckMuonShape(absl::string_view name, at::IntArrayRef shape);

// About U V^T of the singular value decomposition of `matrix` = U S V^T (R,C): its singular values
// are near 1. In fp32; computed in bf16. 1 <= steps <= kPolarSteps, the first ones of the series.
at::Tensor PolarExpress(const at::Tensor& matrix, int64_t steps = kPolarSteps);

// One step of one matrix (R,C), in place: momentum <- mu momentum + (1 - mu) gradient, and
// weight <- weight - rate sqrt(max(1, R / C)) PolarExpress((1 - mu) gradient + mu momentum), or of
// the momentum alone without Nesterov. `gradient` is left unchanged. All in fp32, of one shape.
void MuonStep(const MuonConfig& config, double learning_rate, const at::Tensor& gradient,
              at::Tensor momentum, at::Tensor weight);

}  // namespace ddl
