#include "kernels/activation.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {
namespace {

// Blocks of 256 threads, 8 of which fill a multiprocessor; the grid covers columns, and rows in
// turn.
constexpr int kThreads = 256;
constexpr int kBlocksEach = 8;

template <typename T>
constexpr int kFeatures = 16 / static_cast<int>(sizeof(T));

dim3 GridFor(int64_t rows, int64_t vectors) {
  const int64_t across = (vectors + kThreads - 1) / kThreads;
  const int64_t down = (int64_t{MultiprocessorCount()} * kBlocksEach + across - 1) / across;
  return dim3(static_cast<unsigned>(across), static_cast<unsigned>(down < rows ? down : rows));
}

__device__ __forceinline__ float Sigma(float x) { return 1.0f / (1.0f + __expf(-x)); }

template <typename T>
__global__ void __launch_bounds__(kThreads)
    ForwardKernel(const __grid_constant__ ActivationForward<T> call) {
  constexpr int kF = kFeatures<T>;
  const int64_t column = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kF;
  if (column >= call.d_ff) return;
  for (int64_t t = blockIdx.y; t < call.tokens; t += gridDim.y) {
    float in[kF];
    if (call.kind == Activation::kSwiGlu) {
      float up[kF];
      LoadElements<kF>(call.in + t * 2 * call.d_ff + column, in);
      LoadElements<kF>(call.in + (t * 2 + 1) * call.d_ff + column, up);
#pragma unroll
      for (int i = 0; i < kF; ++i) in[i] *= Sigma(in[i]) * up[i];
    } else {
      LoadElements<kF>(call.in + t * call.d_ff + column, in);
#pragma unroll
      for (int i = 0; i < kF; ++i) in[i] = in[i] > 0.0f ? in[i] * in[i] : 0.0f;
    }
    StoreElements<kF>(in, call.out + t * call.d_ff + column, true);
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    BackwardKernel(const __grid_constant__ ActivationBackward<T> call) {
  constexpr int kF = kFeatures<T>;
  const int64_t column = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kF;
  if (column >= call.d_ff) return;
  for (int64_t t = blockIdx.y; t < call.tokens; t += gridDim.y) {
    float in[kF];
    float d_out[kF];
    LoadElements<kF>(call.d_out + t * call.d_ff + column, d_out);
    if (call.kind == Activation::kSwiGlu) {
      const int64_t at = t * 2 * call.d_ff + column;
      float up[kF];
      LoadElements<kF>(call.in + at, in);
      LoadElements<kF>(call.in + at + call.d_ff, up);
#pragma unroll
      for (int i = 0; i < kF; ++i) {
        const float sigma = Sigma(in[i]);
        const float swish = in[i] * sigma;
        in[i] = d_out[i] * up[i] * (sigma + swish * (1.0f - sigma));
        up[i] = d_out[i] * swish;
      }
      StoreElements<kF>(in, call.d_in + at, true);
      StoreElements<kF>(up, call.d_in + at + call.d_ff, true);
    } else {
      const int64_t at = t * call.d_ff + column;
      LoadElements<kF>(call.in + at, in);
#pragma unroll
      for (int i = 0; i < kF; ++i) in[i] = in[i] > 0.0f ? 2.0f * in[i] * d_out[i] : 0.0f;
      StoreElements<kF>(in, call.d_in + at, true);
    }
  }
}

}  // namespace

template <typename T>
Outcome Launch(const ActivationForward<T>& call, Gpu place) {
  if (Outcome fits = CheckActivation(call); !fits.ok()) return fits;
  ForwardKernel<T>
      <<<GridFor(call.tokens, call.d_ff / kFeatures<T>), kThreads, 0, place.stream>>>(call);
  return Launched("activation forward", cudaGetLastError());
}

template <typename T>
Outcome Launch(const ActivationBackward<T>& call, Gpu place) {
  if (Outcome fits = CheckActivation(call); !fits.ok()) return fits;
  BackwardKernel<T>
      <<<GridFor(call.tokens, call.d_ff / kFeatures<T>), kThreads, 0, place.stream>>>(call);
  return Launched("activation backward", cudaGetLastError());
}

template Outcome Launch(const ActivationForward<float>&, Gpu);
template Outcome Launch(const ActivationForward<Bf16>&, Gpu);
template Outcome Launch(const ActivationBackward<float>&, Gpu);
template Outcome Launch(const ActivationBackward<Bf16>&, Gpu);

}  // namespace ddl::kernels
