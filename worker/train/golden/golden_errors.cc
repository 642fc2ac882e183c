#include "worker/train/golden/golden_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ddl {
namespace {

// A difference in units of `scale`. Equal numbers differ by nothing, in any unit.
double Relative(double difference, double scale) {
  return difference == 0 ? 0 : difference / scale;
}

}  // namespace

double LargestOf(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.to(at::kDouble).abs().max().item<double>();
}

double LargestError(const at::Tensor& got, const at::Tensor& want, double scale) {
  return Relative(LargestOf(got.to(at::kDouble) - want.to(at::kDouble)), scale);
}

double NormError(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor reference = want.to(at::kDouble);
  return Relative((got.to(at::kDouble) - reference).norm().item<double>(),
                  reference.norm().item<double>());
}

void GroupErrors::Add(const std::string& group, double tolerance, const std::string& tensor,
                      double error) {
  if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const GroupError& seen) { return seen.group == group; });
  if (found == all_.end()) {
    all_.push_back({group, error, tolerance, tensor});
  } else if (error > found->error) {
    found->error = error;
    found->tensor = tensor;
  }
}

}  // namespace ddl
