#include <algorithm>
#include <cmath>

#include "kernels/optimizer.h"

namespace ddl::kernels {
namespace {

Contract& Counted(Contract&& contract, int64_t count) {
  return contract.Between("count", count, 1, int64_t{1} << 40);
}

template <typename T>
double SumOfSquares(const T* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(ToReal(values[i]));
    sum += value * value;
  }
  return sum;
}

}  // namespace

template <typename T>
Outcome CheckOptimizer(const GlobalNorm<T>& call) {
  return Counted(Contract("global norm"), call.count)
      .Aligned("gradients", call.gradients, kVectorBytes)
      .Aligned("norm", call.norm, sizeof(Real<T>))
      .Aligned("clip", call.clip, sizeof(Real<T>))
      .Require(call.max_norm >= 0, "max_norm must be at least 0")
      .outcome();
}

template <typename T>
Outcome CheckOptimizer(const AdamW<T>& call) {
  return Counted(Contract("adamw"), call.count)
      .Aligned("masters", call.masters, kVectorBytes)
      .Aligned("gradients", call.gradients, kVectorBytes)
      .Aligned("first_moment", call.first_moment, kVectorBytes)
      .Aligned("second_moment", call.second_moment, kVectorBytes)
      .AlignedIfGiven("weights", call.weights, kVectorBytes)
      .Aligned("learning_rate", call.learning_rate, sizeof(Real<T>))
      .Aligned("step", call.step, sizeof(int64_t))
      .Require(call.beta1 >= 0 && call.beta1 < 1, "beta1 must be in [0, 1)")
      .Require(call.beta2 >= 0 && call.beta2 < 1, "beta2 must be in [0, 1)")
      .outcome();
}

template <typename T>
Outcome CheckOptimizer(const MuonMomentum<T>& call) {
  return Counted(Contract("muon momentum"), call.count)
      .Aligned("gradients", call.gradients, kVectorBytes)
      .Aligned("momentum", call.momentum, kVectorBytes)
      .Aligned("direction", call.direction, kVectorBytes)
      .Require(call.mu >= 0 && call.mu < 1, "mu must be in [0, 1)")
      .outcome();
}

template <typename T>
Outcome CheckOptimizer(const MuonNormalize<T>& call) {
  return Counted(Contract("muon normalize"), call.count)
      .Aligned("x", call.x, kVectorBytes)
      .outcome();
}

template <typename T>
Outcome CheckOptimizer(const MuonPolynomial<T>& call) {
  return Counted(Contract("muon polynomial"), call.count)
      .Aligned("a", call.a, kVectorBytes)
      .Aligned("square", call.square, kVectorBytes)
      .Aligned("out", call.out, kVectorBytes)
      .outcome();
}

template <typename T>
Outcome CheckOptimizer(const MuonApply<T>& call) {
  return Counted(Contract("muon apply"), call.count)
      .Aligned("masters", call.masters, kVectorBytes)
      .Aligned("direction", call.direction, kVectorBytes)
      .AlignedIfGiven("weights", call.weights, kVectorBytes)
      .Aligned("learning_rate", call.learning_rate, sizeof(Real<T>))
      .outcome();
}

template <typename T>
Outcome Launch(const GlobalNorm<T>& call, Cpu /*place*/) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const double norm = std::sqrt(SumOfSquares(call.gradients, call.count));
  *call.norm = static_cast<Real<T>>(norm);
  const double clip = call.max_norm > 0 ? std::min(1.0, call.max_norm / (norm + 1e-6)) : 1.0;
  *call.clip = static_cast<Real<T>>(clip);
  return {};
}

template <typename T>
Outcome Launch(const AdamW<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const auto step = static_cast<double>(*call.step);
  const auto correction1 = static_cast<R>(1 / (1 - std::pow(call.beta1, step)));
  const auto correction2 = static_cast<R>(1 / (1 - std::pow(call.beta2, step)));
  const auto beta1 = static_cast<R>(call.beta1);
  const auto beta2 = static_cast<R>(call.beta2);
  const R rate = *call.learning_rate;
  const R clip = call.clip == nullptr ? R{1} : *call.clip;
  const R keep = 1 - rate * static_cast<R>(call.weight_decay);
  for (int64_t i = 0; i < call.count; ++i) {
    const R g = clip * call.gradients[i];
    const R m = beta1 * call.first_moment[i] + (1 - beta1) * g;
    const R v = beta2 * call.second_moment[i] + (1 - beta2) * g * g;
    call.first_moment[i] = m;
    call.second_moment[i] = v;
    const R step_size = m * correction1 / (std::sqrt(v * correction2) + static_cast<R>(call.eps));
    call.masters[i] = call.masters[i] * keep - rate * step_size;
    if (call.weights != nullptr) call.weights[i] = FromReal<T>(call.masters[i]);
  }
  return {};
}

template <typename T>
Outcome Launch(const MuonMomentum<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const auto mu = static_cast<R>(call.mu);
  const R clip = call.clip == nullptr ? R{1} : *call.clip;
  for (int64_t i = 0; i < call.count; ++i) {
    const R g = clip * call.gradients[i];
    const R momentum = mu * call.momentum[i] + (1 - mu) * g;
    call.momentum[i] = momentum;
    call.direction[i] = FromReal<T>(call.nesterov ? (1 - mu) * g + mu * momentum : momentum);
  }
  return {};
}

template <typename T>
Outcome Launch(const MuonNormalize<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const double norm = std::sqrt(SumOfSquares(call.x, call.count));
  const auto scale = static_cast<R>(1 / (1.01 * norm + 1e-7));
  for (int64_t i = 0; i < call.count; ++i) call.x[i] = FromReal<T>(ToReal(call.x[i]) * scale);
  return {};
}

template <typename T>
Outcome Launch(const MuonPolynomial<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const auto b = static_cast<R>(call.b);
  const auto c = static_cast<R>(call.c);
  for (int64_t i = 0; i < call.count; ++i) {
    call.out[i] = FromReal<T>(b * ToReal(call.a[i]) + c * ToReal(call.square[i]));
  }
  return {};
}

template <typename T>
Outcome Launch(const MuonApply<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  const R rate = *call.learning_rate;
  const R keep = 1 - rate * static_cast<R>(call.weight_decay);
  const R scale = rate * static_cast<R>(call.scale);
  for (int64_t i = 0; i < call.count; ++i) {
    call.masters[i] = call.masters[i] * keep - scale * ToReal(call.direction[i]);
    if (call.weights != nullptr) call.weights[i] = FromReal<T>(call.masters[i]);
  }
  return {};
}

#define DDL_INSTANTIATE_ONE(Call, T)               \
  template Outcome CheckOptimizer(const Call<T>&); \
  template Outcome Launch(const Call<T>&, Cpu);
#define DDL_INSTANTIATE(T)               \
  DDL_INSTANTIATE_ONE(GlobalNorm, T)     \
  DDL_INSTANTIATE_ONE(AdamW, T)          \
  DDL_INSTANTIATE_ONE(MuonMomentum, T)   \
  DDL_INSTANTIATE_ONE(MuonNormalize, T)  \
  DDL_INSTANTIATE_ONE(MuonPolynomial, T) \
  DDL_INSTANTIATE_ONE(MuonApply, T)
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(double)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE
#undef DDL_INSTANTIATE_ONE

}  // namespace ddl::kernels
