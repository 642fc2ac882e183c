#include "kernels/boundary_plan.h"

namespace ddl::kernels {
namespace {

// 24 warps of 80 registers fill a multiprocessor.
constexpr int kForwardWarps = 24;
constexpr int kWideThreads = 1024;

// kFull: gated, with both heads, v of x: no question is asked for each token.
template <typename T, int N, int F, int W, bool kWide, bool kFull>
class ForwardTeam {
 public:
  __device__ ForwardTeam(const BoundaryForward<T>& call, char* shared, int warps, int teams)
      : a_(call), view_(shared, call.shape.d, warps, teams) {
    view_.StageWeights(a_.weights, N);
    // Scalars of a token: v_0 .. v_(N-1), beta.
    const int lane = threadIdx.x % kWarp;
    ScalarSource source;
    if (gated() && lane < N) source = {a_.v + lane, N};
    if (gated() && lane == N) source = {a_.beta, 1};
    view_.SetScalar(source);
    __syncthreads();
  }

  __device__ void Run(int teams) {
    const int64_t step = int64_t{gridDim.x} * teams;
    int64_t t = int64_t{blockIdx.x} * teams + view_.team.index;
    int stage = 0;
    Fetch(0, t);
    for (; t < a_.shape.tokens; t += step) {
      Fetch(stage ^ 1, t + step);
      AwaitCopies<1>();
      __syncwarp();
      Token(stage, t);
      stage ^= 1;
    }
    AwaitCopies<0>();
  }

 private:
  __device__ const float* Channel(const float* weight, int j) const {
    return weight == nullptr ? nullptr : weight + j * a_.shape.d;
  }
  __device__ bool rewrites() const { return kFull || a_.shape.update != Update::kNone; }
  __device__ bool gated() const { return kFull || a_.shape.update >= Update::kWriteOnly; }
  __device__ bool valued() const { return kFull || a_.weights.value_weight != nullptr; }
  __device__ bool has_gate() const { return kFull || a_.weights.gate_weight != nullptr; }
  __device__ bool reads_c() const { return !kFull && a_.weights.value_reads_c; }
  __device__ const T* State(int64_t t) const { return a_.state + t * N * view_.d; }

  __device__ __forceinline__ void Fetch(int stage, int64_t t) {
    if (t < a_.shape.tokens) {
      view_.ScalarAhead(stage, t);
      if (view_.active) {
        if (rewrites()) view_.Ahead(stage, N, a_.h + t * view_.d);
#pragma unroll
        for (int j = 0; j < N; ++j) view_.Ahead(stage, j, State(t) + j * view_.d);
      }
    }
    CloseCopies();
  }

  // The factors of h in Y_j = X_j + factor_j h; writes the scalars that the way back reads.
  __device__ __forceinline__ void Factors(int stage, int64_t t, const T* state, const float (&h)[F],
                                          float (&factor)[N]) {
    if (!gated()) {
#pragma unroll
      for (int j = 0; j < N; ++j) factor[j] = rewrites() ? 1.0f : 0.0f;
      return;
    }
    float sums[N + 1] = {};
#pragma unroll
    for (int i = 0; i < F; ++i) sums[N] += h[i] * h[i];
#pragma unroll
    for (int j = 0; j < N; ++j) {
      float x[F];
      view_.Row(stage, j, state + j * view_.d, x);
#pragma unroll
      for (int i = 0; i < F; ++i) sums[j] += h[i] * x[i];
    }
    view_.team.Sum(sums);
    const float square = sums[N] + static_cast<float>(a_.k_eps * a_.k_eps);
    const float inverse = rsqrtf(square);
    const float erase = a_.shape.update == Update::kDdl ? inverse : 0.0f;
    const float scale = view_.Scalar(stage, N) * inverse;
    float mine = 0.0f;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float row = view_.Scalar(stage, j) - sums[j] * erase;
      factor[j] = scale * row;
      if (view_.team.thread == j) mine = row;
    }
    if (view_.team.thread < N) a_.row[t * N + view_.team.thread] = mine;
    if (view_.team.thread == 0) a_.h_norm[t] = square * inverse;
  }

  __device__ __forceinline__ void Heads(int64_t t, float r, const float (&sums)[N + 2]) {
    const BoundaryWeights<float>& w = a_.weights;
    const int thread = view_.team.thread;
    if (valued() && thread < N) {
      float logit = 0.0f;
#pragma unroll
      for (int j = 0; j < N; ++j) logit = thread == j ? sums[j] : logit;
      logit = logit * (reads_c() ? r : 1.0f) + w.value_bias[thread];
      a_.next_v[t * N + thread] =
          w.value_scale == 0.0f ? logit : w.value_scale / (1.0f + __expf(-logit));
    }
    if (thread == 0) {
      a_.inverse_rms[t] = r;
      if (has_gate()) {
        a_.next_beta[t] = 2.0f / (1.0f + __expf(-(sums[N] * r + w.gate_bias[0])));
      }
    }
  }

  __device__ __forceinline__ void Compress(int stage, const T* state, T* next, const float (&h)[F],
                                           const float (&factor)[N], float (&x)[F]) {
#pragma unroll
    for (int j = 0; j < N; ++j) {
      float y[F];
      view_.Row(stage, j, state + j * view_.d, y);
#pragma unroll
      for (int i = 0; i < F; ++i) y[i] += factor[j] * h[i];
      view_.Store(y, next + j * view_.d, rewrites());
      if constexpr (N == 1) {
#pragma unroll
        for (int i = 0; i < F; ++i) x[i] = y[i];
      } else {
        float weight[F];
        view_.Weight(kCompressor + j, Channel(a_.weights.compressor, j), 1.0f, weight);
#pragma unroll
        for (int i = 0; i < F; ++i) x[i] = j == 0 ? weight[i] * y[i] : x[i] + weight[i] * y[i];
      }
    }
  }

  __device__ __forceinline__ void Token(int stage, int64_t t) {
    const BoundaryWeights<float>& w = a_.weights;
    float h[F];
    view_.Row(stage, N, rewrites() ? a_.h + t * view_.d : nullptr, h);
    float factor[N];
    Factors(stage, t, State(t), h, factor);
    float x[F];
    Compress(stage, State(t), a_.next_state + t * N * view_.d, h, factor, x);
    float gain[F];
    view_.Weight(kGain, w.gain, 0.0f, gain);
    float sums[N + 2] = {};
#pragma unroll
    for (int i = 0; i < F; ++i) {
      sums[N + 1] += x[i] * x[i];
      gain[i] *= x[i];
    }
    if (has_gate()) {
      float gate[F];
      view_.Weight(kGate, w.gate_weight, 0.0f, gate);
#pragma unroll
      for (int i = 0; i < F; ++i) sums[N] += gate[i] * gain[i];
    }
    if (valued()) {
#pragma unroll
      for (int i = 0; i < F; ++i) x[i] = reads_c() ? gain[i] : x[i];
#pragma unroll
      for (int j = 0; j < N; ++j) {
        float weight[F];
        view_.Weight(kCompressor + N + j, Channel(w.value_weight, j), 0.0f, weight);
#pragma unroll
        for (int i = 0; i < F; ++i) sums[j] += weight[i] * x[i];
      }
    }
    view_.team.Sum(sums);
    const float r =
        rsqrtf(sums[N + 1] / static_cast<float>(view_.d) + static_cast<float>(a_.norm_eps));
#pragma unroll
    for (int i = 0; i < F; ++i) gain[i] *= r;
    view_.Store(gain, a_.c + t * view_.d);
    Heads(t, r, sums);
  }

  const BoundaryForward<T>& a_;
  BoundaryView<T, F, W, kWide, N + 1, WeightRows(N)> view_;
};

template <typename T, int N, int F, int W, bool kWide, bool kFull>
__global__ void __launch_bounds__(kWide ? kWideThreads : kForwardWarps* kWarp, 1)
    ForwardKernel(const __grid_constant__ BoundaryForward<T> call, int warps, int teams) {
  extern __shared__ __align__(16) char shared[];
  ForwardTeam<T, N, F, W, kWide, kFull> team(call, shared, warps, teams);
  team.Run(teams);
}

template <typename T, int N, int F, int W, bool kWide, bool kFull>
Outcome Start(const BoundaryForward<T>& call, const BoundaryPlan& plan, Gpu place) {
  const auto kernel = ForwardKernel<T, N, F, W, kWide, kFull>;
  const auto bytes = static_cast<int>(plan.shared_bytes);
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  kernel<<<plan.blocks, plan.threads(), bytes, place.stream>>>(call, plan.warps, plan.teams);
  return Launched("boundary forward", cudaGetLastError());
}

template <typename T, int N>
Outcome StartFor(const BoundaryForward<T>& call, Gpu place) {
  constexpr int kFeatures = sizeof(T) == 2 && N < 8 ? 8 : 4;
  const BoundaryPlan plan = PlanBoundary(call.shape, kFeatures, sizeof(T), kForwardWarps, N + 1);
  if (plan.blocks == 0) return Outcome("boundary forward: no GPU");
  if (plan.wide) return Start<T, N, kFeatures, 0, true, false>(call, plan, place);
  if constexpr (kFeatures == 8) {  // The widths of the presets: 768 and 1024.
    const bool full = HasAll(call.shape, call.weights);
    if (full && plan.warps == 3) return Start<T, N, kFeatures, 3, false, true>(call, plan, place);
    if (full && plan.warps == 4) return Start<T, N, kFeatures, 4, false, true>(call, plan, place);
    if (N == 1 && plan.warps == 3)
      return Start<T, 1, kFeatures, 3, false, false>(call, plan, place);
    if (N == 1 && plan.warps == 4)
      return Start<T, 1, kFeatures, 4, false, false>(call, plan, place);
  }
  return Start<T, N, kFeatures, 0, false, false>(call, plan, place);
}

}  // namespace

template <typename T>
Outcome Launch(const BoundaryForward<T>& call, Gpu place) {
  if (Outcome fits = CheckBoundary(call); !fits.ok()) return fits;
  switch (call.shape.n) {
    case 1: return StartFor<T, 1>(call, place);
    case 2: return StartFor<T, 2>(call, place);
    case 4: return StartFor<T, 4>(call, place);
    default: return StartFor<T, 8>(call, place);
  }
}

template Outcome Launch(const BoundaryForward<float>&, Gpu);
template Outcome Launch(const BoundaryForward<Bf16>&, Gpu);

}  // namespace ddl::kernels
