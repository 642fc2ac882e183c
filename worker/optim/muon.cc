#include "worker/optim/muon.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"

namespace ddl {
namespace {

// X <- a X + (b A + c A^2) X with A = X X^T.
struct PolarCoefficients {
  double a, b, c;
};
constexpr std::array<PolarCoefficients, kPolarSteps> kPolar = {{
    {8.156554524902461, -22.48329292557795, 15.878769915207462},
    {4.042929935166739, -2.808917465908714, 0.5000178451051316},
    {3.8916678022926607, -2.772484153217685, 0.5060648178503393},
    {3.285753657755655, -2.3681294933425376, 0.46449024233003106},
    {2.3465413258596377, -1.7097828382687081, 0.42323551169305323},
}};
// Keeps the largest singular value below 1 although bf16 rounds.
constexpr double kNormMargin = 1.01;
constexpr double kNormEps = 1e-7;

}  // namespace

absl::Status CheckMuonShape(absl::string_view name, at::IntArrayRef shape) {
  if (shape.size() == 2 && shape[0] > 0 && shape[1] > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("Muon takes matrices alone: ", name,
                                                 " must have 2 axes, got shape [",
                                                 absl::StrJoin(shape, ","), "]"));
}

at::Tensor PolarExpress(const at::Tensor& matrix, int64_t steps) {
  DDL_CHECK(CheckMuonShape("matrix", matrix.sizes()).ok());
  DDL_CHECK(steps >= 1 && steps <= kPolarSteps);
  const at::NoGradGuard no_grad;
  const bool tall = matrix.size(0) > matrix.size(1);
  at::Tensor x = matrix.to(at::kBFloat16);
  if (tall) x = x.t();  // The Gram matrix is that of the shorter side.
  x = x / (at::linalg_vector_norm(x, 2) * kNormMargin + kNormEps);
  for (int64_t i = 0; i < steps; ++i) {
    const PolarCoefficients& p = kPolar[static_cast<size_t>(i)];
    const at::Tensor gram = at::mm(x, x.t());
    const at::Tensor polynomial = p.b * gram + p.c * at::mm(gram, gram);
    x = p.a * x + at::mm(polynomial, x);
  }
  return (tall ? x.t() : x).to(at::kFloat);
}

void MuonStep(const MuonConfig& config, double learning_rate, const at::Tensor& gradient,
              at::Tensor momentum, at::Tensor weight) {
  const at::NoGradGuard no_grad;
  momentum.lerp_(gradient, 1.0 - config.momentum);
  const at::Tensor direction =
      config.nesterov ? gradient.lerp(momentum, config.momentum) : momentum;
  const double rows = static_cast<double>(weight.size(0));
  const double columns = static_cast<double>(weight.size(1));
  const double scale = std::sqrt(std::max(1.0, rows / columns));
  weight.add_(PolarExpress(direction, config.polar_steps), -learning_rate * scale);
}

}  // namespace ddl
