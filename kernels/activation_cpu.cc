#include <cmath>

#include "kernels/activation.h"

namespace ddl::kernels {
namespace {

template <typename Call>
void RequireActivation(const Call& call, Contract* contract) {
  contract->Between("tokens", call.tokens, 1, int64_t{1} << 31)
      .Between("d_ff", call.d_ff, 8, 65536)
      .MultipleOf("d_ff", call.d_ff, 8)
      .Aligned("in", call.in, kVectorBytes);
}

template <typename R>
struct Swish {
  explicit Swish(R gate) : sigma(1 / (1 + std::exp(-gate))), value(gate * sigma) {}
  R slope() const { return sigma + value * (1 - sigma); }
  R sigma;
  R value;
};

}  // namespace

template <typename T>
Outcome CheckActivation(const ActivationForward<T>& call) {
  Contract contract("activation forward");
  RequireActivation(call, &contract);
  return contract.Aligned("out", call.out, kVectorBytes).outcome();
}

template <typename T>
Outcome CheckActivation(const ActivationBackward<T>& call) {
  Contract contract("activation backward");
  RequireActivation(call, &contract);
  return contract.Aligned("d_out", call.d_out, kVectorBytes)
      .Aligned("d_in", call.d_in, kVectorBytes)
      .outcome();
}

template <typename T>
Outcome Launch(const ActivationForward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckActivation(call); !fits.ok()) return fits;
  const int64_t f = call.d_ff;
  for (int64_t e = 0; e < call.tokens * f; ++e) {
    if (call.kind == Activation::kSquaredRelu) {
      const R in = ToReal(call.in[e]);
      call.out[e] = FromReal<T>(in > 0 ? in * in : R{0});
      continue;
    }
    const T* row = call.in + e / f * 2 * f;
    call.out[e] = FromReal<T>(Swish<R>(ToReal(row[e % f])).value * ToReal(row[f + e % f]));
  }
  return {};
}

template <typename T>
Outcome Launch(const ActivationBackward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckActivation(call); !fits.ok()) return fits;
  const int64_t f = call.d_ff;
  for (int64_t e = 0; e < call.tokens * f; ++e) {
    const R d_out = ToReal(call.d_out[e]);
    if (call.kind == Activation::kSquaredRelu) {
      const R in = ToReal(call.in[e]);
      call.d_in[e] = FromReal<T>(in > 0 ? 2 * in * d_out : R{0});
      continue;
    }
    const int64_t at = e / f * 2 * f + e % f;
    const Swish<R> swish(ToReal(call.in[at]));
    const R up = ToReal(call.in[at + f]);
    call.d_in[at] = FromReal<T>(d_out * up * swish.slope());
    call.d_in[at + f] = FromReal<T>(d_out * swish.value);
  }
  return {};
}

#define DDL_INSTANTIATE(T)                                        \
  template Outcome CheckActivation(const ActivationForward<T>&);  \
  template Outcome CheckActivation(const ActivationBackward<T>&); \
  template Outcome Launch(const ActivationForward<T>&, Cpu);      \
  template Outcome Launch(const ActivationBackward<T>&, Cpu);
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(double)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE

}  // namespace ddl::kernels
