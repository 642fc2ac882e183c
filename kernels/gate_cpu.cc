#include <cmath>
#include <vector>

#include "kernels/gate.h"

namespace ddl::kernels {
namespace {

template <typename Call>
void RequireGate(const Call& call, Contract* contract) {
  contract->Between("tokens", call.tokens, 1, 2147483647)
      .Between("width", call.width, 1, 4096)
      .Aligned("hidden", call.hidden, kVectorBytes)
      .Aligned("weight", call.weight, kVectorBytes);
}

template <typename Call>
void RequireFold(const Call& call, Contract* contract) {
  contract->Between("n", call.n, 1, 8)
      .Between("taps", call.taps, 1, call.n)
      .Between("d", call.d, 1, 65536)
      .Aligned("kernel", call.kernel, kVectorBytes)
      .Aligned("read", call.read, sizeof(*call.read));
}

// Calls visit(i, tap, output channel, input channel) for each product of the fold.
template <typename Call, typename Visit>
void EachProduct(const Call& call, const Visit& visit) {
  const int64_t left = (call.taps - 1) / 2;
  for (int64_t i = 0; i < call.d; ++i) {
    for (int64_t out = 0; out < call.n; ++out) {
      for (int64_t tap = 0; tap < call.taps; ++tap) {
        const int64_t in = out + tap - left;
        if (in >= 0 && in < call.n) visit(i, i * call.taps + tap, out, in * call.d + i);
      }
    }
  }
}

}  // namespace

template <typename T>
Outcome CheckGate(const GateForward<T>& call) {
  Contract contract("gate forward");
  RequireGate(call, &contract);
  return contract.Aligned("in", call.in, kVectorBytes)
      .Aligned("bias", call.bias, sizeof(Real<T>))
      .Aligned("beta", call.beta, sizeof(Real<T>))
      .outcome();
}

template <typename T>
Outcome CheckGate(const GateBackward<T>& call) {
  Contract contract("gate backward");
  RequireGate(call, &contract);
  return contract.Aligned("d_logit", call.d_logit, sizeof(Real<T>))
      .Aligned("d_in", call.d_in, kVectorBytes)
      .Aligned("d_weight", call.d_weight, sizeof(Real<T>))
      .Aligned("d_bias", call.d_bias, sizeof(Real<T>))
      .outcome();
}

template <typename R>
Outcome CheckFold(const CompressorFold<R>& call) {
  Contract contract("compressor fold");
  RequireFold(call, &contract);
  return contract.Aligned("folded", call.folded, kVectorBytes).outcome();
}

template <typename R>
Outcome CheckFold(const CompressorUnfold<R>& call) {
  Contract contract("compressor unfold");
  RequireFold(call, &contract);
  return contract.Aligned("d_folded", call.d_folded, sizeof(R))
      .Aligned("d_kernel", call.d_kernel, sizeof(R))
      .Aligned("d_read", call.d_read, sizeof(R))
      .outcome();
}

template <typename T>
Outcome Launch(const GateForward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckGate(call); !fits.ok()) return fits;
  for (int64_t t = 0; t < call.tokens; ++t) {
    R logit = call.bias[0];
    for (int64_t i = 0; i < call.width; ++i) {
      const T hidden = FromReal<T>(std::tanh(ToReal(call.in[t * call.width + i])));
      call.hidden[t * call.width + i] = hidden;
      logit += call.weight[i] * ToReal(hidden);
    }
    call.beta[t] = 2 / (1 + std::exp(-logit));
  }
  return {};
}

template <typename T>
Outcome Launch(const GateBackward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckGate(call); !fits.ok()) return fits;
  std::vector<double> d_weight(call.width);
  double d_bias = 0;
  for (int64_t t = 0; t < call.tokens; ++t) {
    const R d_logit = call.d_logit[t];
    d_bias += d_logit;
    for (int64_t i = 0; i < call.width; ++i) {
      const R hidden = ToReal(call.hidden[t * call.width + i]);
      d_weight[i] += d_logit * hidden;
      const R d_in = d_logit * call.weight[i] * (1 - hidden * hidden);
      call.d_in[t * call.width + i] = FromReal<T>(d_in);
    }
  }
  for (int64_t i = 0; i < call.width; ++i) call.d_weight[i] += static_cast<R>(d_weight[i]);
  call.d_bias[0] += static_cast<R>(d_bias);
  return {};
}

template <typename R>
Outcome Launch(const CompressorFold<R>& call, Cpu /*place*/) {
  if (Outcome fits = CheckFold(call); !fits.ok()) return fits;
  for (int64_t e = 0; e < call.n * call.d; ++e) call.folded[e] = 0;
  EachProduct(call, [&](int64_t /*i*/, int64_t kernel, int64_t out, int64_t in) {
    call.folded[in] += call.kernel[kernel] * call.read[out];
  });
  return {};
}

template <typename R>
Outcome Launch(const CompressorUnfold<R>& call, Cpu /*place*/) {
  if (Outcome fits = CheckFold(call); !fits.ok()) return fits;
  EachProduct(call, [&](int64_t /*i*/, int64_t kernel, int64_t out, int64_t in) {
    call.d_kernel[kernel] += call.d_folded[in] * call.read[out];
    call.d_read[out] += call.d_folded[in] * call.kernel[kernel];
  });
  return {};
}

#define DDL_INSTANTIATE(T)                             \
  template Outcome CheckGate(const GateForward<T>&);   \
  template Outcome CheckGate(const GateBackward<T>&);  \
  template Outcome Launch(const GateForward<T>&, Cpu); \
  template Outcome Launch(const GateBackward<T>&, Cpu);
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(double)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE
template Outcome CheckFold(const CompressorFold<float>&);
template Outcome CheckFold(const CompressorUnfold<float>&);
template Outcome Launch(const CompressorFold<float>&, Cpu);
template Outcome Launch(const CompressorFold<double>&, Cpu);
template Outcome Launch(const CompressorUnfold<float>&, Cpu);
template Outcome Launch(const CompressorUnfold<double>&, Cpu);

}  // namespace ddl::kernels
