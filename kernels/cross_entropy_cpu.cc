#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cross_entropy.h"

namespace ddl::kernels {
namespace {

template <typename T>
void LossOfRow(const CrossEntropy<T>& call, int64_t t) {
  using R = Real<T>;
  T* row = call.logits + t * call.stride;
  const int64_t target = call.targets[t];
  R largest = -std::numeric_limits<R>::infinity();
  for (int64_t i = 0; i < call.vocabulary; ++i) {
    largest = std::max(largest, call.logit_scale * ToReal(row[i]));
  }
  R sum = 0;
  for (int64_t i = 0; i < call.vocabulary; ++i) {
    sum += std::exp(call.logit_scale * ToReal(row[i]) - largest);
  }
  const bool known = target >= 0 && target < call.vocabulary;
  const R none = target == -1 ? R{0} : std::numeric_limits<R>::quiet_NaN();
  call.losses[t] = known ? std::log(sum) + largest - call.logit_scale * ToReal(row[target]) : none;
  if (call.loss_alone) return;
  const R scale = known ? call.gradient_scale * call.logit_scale : R{0};
  for (int64_t i = 0; i < call.stride; ++i) {
    if (i >= call.vocabulary) {
      row[i] = FromReal<T>(R{0});
      continue;
    }
    const R p = std::exp(call.logit_scale * ToReal(row[i]) - largest) / sum;
    row[i] = FromReal<T>(scale * (p - (i == target ? R{1} : R{0})));
  }
}

}  // namespace

template <typename T>
Outcome CheckCrossEntropy(const CrossEntropy<T>& call) {
  return Contract("cross entropy")
      .Between("tokens", call.tokens, 1, int64_t{1} << 31)
      .Between("vocabulary", call.vocabulary, 1, int64_t{1} << 24)
      .Require(call.stride >= call.vocabulary, "stride must be at least the vocabulary")
      .MultipleOf("stride", call.stride, 8)
      .Require(call.logit_scale > 0, "logit_scale must be above 0")
      .Aligned("logits", call.logits, kVectorBytes)
      .Aligned("targets", call.targets, sizeof(int32_t))
      .Aligned("losses", call.losses, sizeof(Real<T>))
      .outcome();
}

template <typename T>
Outcome Launch(const CrossEntropy<T>& call, Cpu /*place*/) {
  if (Outcome fits = CheckCrossEntropy(call); !fits.ok()) return fits;
  for (int64_t t = 0; t < call.tokens; ++t) LossOfRow(call, t);
  return {};
}

template Outcome CheckCrossEntropy(const CrossEntropy<float>&);
template Outcome CheckCrossEntropy(const CrossEntropy<double>&);
template Outcome CheckCrossEntropy(const CrossEntropy<Bf16>&);
template Outcome Launch(const CrossEntropy<float>&, Cpu);
template Outcome Launch(const CrossEntropy<double>&, Cpu);
template Outcome Launch(const CrossEntropy<Bf16>&, Cpu);

}  // namespace ddl::kernels
