#include "kernels/column_sums.h"
#include "kernels/gate.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kMostChannels = 8;

__device__ __forceinline__ float WarpSum(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  }
  return value;
}

// A warp takes a token.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    GateForwardKernel(const __grid_constant__ GateForward<T> call) {
  const int lane = threadIdx.x % kWarp;
  const int64_t step = int64_t{gridDim.x} * kWarps;
  for (int64_t t = int64_t{blockIdx.x} * kWarps + threadIdx.x / kWarp; t < call.tokens; t += step) {
    float logit = 0.0f;
    for (int64_t i = lane; i < call.width; i += kWarp) {
      const T hidden = FromFloat<T>(tanhf(ToFloat(call.in[t * call.width + i])));
      call.hidden[t * call.width + i] = hidden;
      logit += call.weight[i] * ToFloat(hidden);
    }
    logit = WarpSum(logit);
    if (lane == 0) call.beta[t] = 2.0f / (1.0f + expf(-(logit + call.bias[0])));
  }
}

// A thread takes a hidden feature (the one past the last sums the bias) and every gridDim.y-th
// token.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    GateBackwardKernel(const __grid_constant__ GateBackward<T> call) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i > call.width) return;
  float sum = 0.0f;
  for (int64_t t = blockIdx.y; t < call.tokens; t += gridDim.y) {
    const float d_logit = call.d_logit[t];
    if (i == call.width) {
      sum += d_logit;
      continue;
    }
    const float hidden = ToFloat(call.hidden[t * call.width + i]);
    sum += d_logit * hidden;
    call.d_in[t * call.width + i] =
        FromFloat<T>(d_logit * call.weight[i] * (1.0f - hidden * hidden));
  }
  call.workspace[blockIdx.y * (call.width + 1) + i] = sum;
}

constexpr int64_t kGateRows = 528;

__global__ void __launch_bounds__(kThreads)
    FoldKernel(const __grid_constant__ CompressorFold<float> call) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= call.d) return;
  const int64_t left = (call.taps - 1) / 2;
  for (int64_t in = 0; in < call.n; ++in) {
    float sum = 0.0f;
    for (int64_t out = 0; out < call.n; ++out) {
      const int64_t tap = in - out + left;
      if (tap >= 0 && tap < call.taps) sum += call.kernel[i * call.taps + tap] * call.read[out];
    }
    call.folded[in * call.d + i] = sum;
  }
}

// One block, so that the read vector's sums have one order.
__global__ void __launch_bounds__(kThreads)
    UnfoldKernel(const __grid_constant__ CompressorUnfold<float> call) {
  const int64_t left = (call.taps - 1) / 2;
  float reads[kMostChannels] = {};
  for (int64_t i = threadIdx.x; i < call.d; i += kThreads) {
    for (int64_t tap = 0; tap < call.taps; ++tap) {
      float sum = 0.0f;
#pragma unroll
      for (int out = 0; out < kMostChannels; ++out) {
        const int64_t in = out + tap - left;
        if (out >= call.n || in < 0 || in >= call.n) continue;
        sum += call.d_folded[in * call.d + i] * call.read[out];
        reads[out] += call.d_folded[in * call.d + i] * call.kernel[i * call.taps + tap];
      }
      call.d_kernel[i * call.taps + tap] += sum;
    }
  }
  __shared__ float warps[kWarps];
  for (int out = 0; out < kMostChannels; ++out) {
    const float sum = WarpSum(reads[out]);
    __syncthreads();
    if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = sum;
    __syncthreads();
    if (threadIdx.x != 0 || out >= call.n) continue;
    float all = 0.0f;
    for (const float part : warps) all += part;
    call.d_read[out] += all;
  }
}

}  // namespace

int64_t GateWorkspace(int64_t width) { return kGateRows * (width + 1); }

template <typename T>
Outcome Launch(const GateForward<T>& call, Gpu place) {
  if (Outcome fits = CheckGate(call); !fits.ok()) return fits;
  const int64_t needed = (call.tokens + kWarps - 1) / kWarps;
  const int64_t most = int64_t{MultiprocessorCount()} * 8;
  const auto blocks = static_cast<unsigned>(needed < most ? needed : most);
  GateForwardKernel<T><<<blocks, kThreads, 0, place.stream>>>(call);
  return Launched("gate forward", cudaGetLastError());
}

template <typename T>
Outcome Launch(const GateBackward<T>& call, Gpu place) {
  if (Outcome fits = CheckGate(call); !fits.ok()) return fits;
  const Outcome room = Contract("gate backward")
                           .Aligned("workspace", call.workspace, kVectorBytes)
                           .Require(call.workspace_size >= GateWorkspace(call.width),
                                    "workspace_size must be at least GateWorkspace(width)")
                           .outcome();
  if (!room.ok()) return room;
  const int64_t rows = call.tokens < kGateRows ? call.tokens : kGateRows;
  const auto across = static_cast<unsigned>(call.width / kThreads + 1);
  GateBackwardKernel<T>
      <<<dim3(across, static_cast<unsigned>(rows)), kThreads, 0, place.stream>>>(call);
  ColumnSums sums;
  sums.rows = rows;
  sums.stride = call.width + 1;
  sums.from = call.workspace;
  sums.Add(0, call.width, call.d_weight);
  sums.Add(call.width, 1, call.d_bias);
  StartColumnSums(sums, place);
  return Launched("gate backward", cudaGetLastError());
}

template <>
Outcome Launch(const CompressorFold<float>& call, Gpu place) {
  if (Outcome fits = CheckFold(call); !fits.ok()) return fits;
  const auto blocks = static_cast<unsigned>((call.d + kThreads - 1) / kThreads);
  FoldKernel<<<blocks, kThreads, 0, place.stream>>>(call);
  return Launched("compressor fold", cudaGetLastError());
}

template <>
Outcome Launch(const CompressorUnfold<float>& call, Gpu place) {
  if (Outcome fits = CheckFold(call); !fits.ok()) return fits;
  UnfoldKernel<<<1, kThreads, 0, place.stream>>>(call);
  return Launched("compressor unfold", cudaGetLastError());
}

template Outcome Launch(const GateForward<float>&, Gpu);
template Outcome Launch(const GateForward<Bf16>&, Gpu);
template Outcome Launch(const GateBackward<float>&, Gpu);
template Outcome Launch(const GateBackward<Bf16>&, Gpu);

}  // namespace ddl::kernels
