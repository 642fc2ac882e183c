#include "kernels/boundary_sums.h"

namespace ddl::kernels {
namespace {

// Registers hold a thread's part of all weight gradients, (2 n + 2) F values, so that fewer warps
// fit.
template <int N>
constexpr int kBackwardWarps = N >= 4 ? 12 : (N == 2 ? 16 : 20);
constexpr int kWideThreads = 1024;

// kFull: gated, with both heads, v of x and a dY: no question is asked for each token.
template <typename T, int N, int F, int W, bool kWide, bool kFull>
class BackwardTeam {
 public:
  __device__ BackwardTeam(const BoundaryBackward<T>& call, char* shared, int warps, int teams)
      : a_(call), view_(shared, call.shape.d, warps, teams) {
    view_.StageWeights(a_.weights, N);
    view_.SetScalar(SourceOf(static_cast<int>(threadIdx.x) % kWarp));
    Clear(d_gain_);
    Clear(d_gate_);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      Clear(d_compressor_[j]);
      Clear(d_value_[j]);
    }
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
    LeaveSums(teams);
  }

 private:
  // Scalars of a token: gradients of N value logits and of the gate's, r, D, v, beta, |h|.
  static constexpr int kGateLogit = N;
  static constexpr int kInverseRms = N + 1;
  static constexpr int kRow = N + 2;
  static constexpr int kValue = 2 * N + 2;
  static constexpr int kBeta = 3 * N + 2;
  static constexpr int kNorm = 3 * N + 3;

  __device__ ScalarSource SourceOf(int lane) const {
    const bool valued = a_.weights.value_weight != nullptr;
    if (lane < N) return {valued ? a_.d_value_logits + lane : nullptr, N};
    if (lane == kGateLogit) return {a_.weights.gate_weight ? a_.d_gate_logit : nullptr, 1};
    if (lane == kInverseRms) return {a_.inverse_rms, 1};
    if (!gated() || lane > kNorm) return {};
    if (lane < kValue) return {a_.row + (lane - kRow), N};
    if (lane < kBeta) return {a_.v + (lane - kValue), N};
    return {lane == kBeta ? a_.beta : a_.h_norm, 1};
  }
  __device__ const float* Channel(const float* weight, int j) const {
    return weight == nullptr ? nullptr : weight + j * a_.shape.d;
  }
  __device__ bool gated() const { return kFull || a_.shape.update >= Update::kWriteOnly; }
  __device__ bool valued() const { return kFull || a_.weights.value_weight != nullptr; }
  __device__ bool has_gate() const { return kFull || a_.weights.gate_weight != nullptr; }
  __device__ bool reads_c() const { return !kFull && a_.weights.value_reads_c; }
  __device__ bool has_d_next() const { return kFull || a_.d_next_state != nullptr; }
  __device__ int64_t StateAt(int64_t t, int j) const { return (t * N + j) * view_.d; }

  // Rows of the ring: Y, dY, dc, h.
  __device__ __forceinline__ void Fetch(int stage, int64_t t) {
    if (t < a_.shape.tokens) {
      view_.ScalarAhead(stage, t);
      if (view_.active) {
#pragma unroll
        for (int j = 0; j < N; ++j) view_.Ahead(stage, j, a_.next_state + StateAt(t, j));
        view_.Ahead(stage, 2 * N, a_.d_c + t * view_.d);
        if (gated()) view_.Ahead(stage, 2 * N + 1, a_.h + t * view_.d);
#pragma unroll
        for (int j = 0; has_d_next() && j < N; ++j) {
          view_.Ahead(stage, N + j, a_.d_next_state + StateAt(t, j));
        }
      }
    }
    CloseCopies();
  }
  __device__ __forceinline__ void Y(int stage, int64_t t, int j, float (&to)[F]) const {
    view_.Row(stage, j, a_.next_state + StateAt(t, j), to);
  }
  __device__ __forceinline__ void DNext(int stage, int64_t t, int j, float (&to)[F]) const {
    view_.Row(stage, N + j, has_d_next() ? a_.d_next_state + StateAt(t, j) : nullptr, to);
  }
  __device__ __forceinline__ void Compressor(int j, float (&to)[F]) const {
    view_.Weight(kCompressor + j, Channel(a_.weights.compressor, j), 1.0f, to);
  }

  __device__ __forceinline__ void Compress(int stage, int64_t t, float (&x)[F]) const {
    if constexpr (N == 1) {
      Y(stage, t, 0, x);
    } else {
      Clear(x);
#pragma unroll
      for (int j = 0; j < N; ++j) {
        float y[F];
        float weight[F];
        Y(stage, t, j, y);
        Compressor(j, weight);
#pragma unroll
        for (int i = 0; i < F; ++i) x[i] += weight[i] * y[i];
      }
    }
  }

  // The heads' part of dc and of e, and their weights' gradients.
  __device__ __forceinline__ void HeadsBackward(int stage, float r, const float (&x)[F],
                                                float (&dc)[F], float (&e)[F]) {
    const BoundaryWeights<float>& w = a_.weights;
    if (view_.team.thread <= N) d_bias_ += view_.Scalar(stage, view_.team.thread);
    if (has_gate()) {
      const float d_logit = view_.Scalar(stage, kGateLogit);
      const float scaled = d_logit * r;
      float gate[F];
      view_.Weight(kGate, w.gate_weight, 0.0f, gate);
#pragma unroll
      for (int i = 0; i < F; ++i) {
        dc[i] += d_logit * gate[i];
        d_gate_[i] += scaled * x[i];
      }
    }
    Clear(e);
    if (!valued()) return;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float d_logit = view_.Scalar(stage, j);
      const float scaled = reads_c() ? d_logit * r : d_logit;
      float weight[F];
      view_.Weight(kCompressor + N + j, Channel(w.value_weight, j), 0.0f, weight);
#pragma unroll
      for (int i = 0; i < F; ++i) {
        e[i] = j == 0 ? d_logit * weight[i] : e[i] + d_logit * weight[i];
        d_value_[j][i] += scaled * x[i];
      }
    }
    if (!reads_c()) return;
#pragma unroll
    for (int i = 0; i < F; ++i) {
      dc[i] += e[i];
      e[i] = 0.0f;
    }
  }

  // e: the gradient of x but for the norm's pull along x; sums[2 N] is that pull's sum.
  __device__ __forceinline__ void NormBackward(float r, const float (&x)[F], const float (&dc)[F],
                                               float (&e)[F], float* along) {
    float gain[F];
    view_.Weight(kGain, a_.weights.gain, 0.0f, gain);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < F; ++i) {
      const float scaled = dc[i] * r;
      const float back = scaled * gain[i];
      d_gain_[i] += scaled * x[i];
      sum += back * x[i];
      e[i] += back;
    }
    *along = sum;
  }

  __device__ __forceinline__ void Token(int stage, int64_t t) {
    const float r = view_.Scalar(stage, kInverseRms);
    float x[F];
    float dc[F];
    float e[F];
    Compress(stage, t, x);
    view_.Row(stage, 2 * N, a_.d_c + t * view_.d, dc);
    HeadsBackward(stage, r, x, dc, e);
    // h . dY_j is linear in the pull, which this very sum finds: its two parts are summed apart.
    float sums[2 * N + 1] = {};
    NormBackward(r, x, dc, e, &sums[2 * N]);
    if (gated()) HalfSums(stage, t, x, e, sums);
    view_.team.Sum(sums);
    const float pull = r * r * sums[2 * N] / static_cast<float>(view_.d);
#pragma unroll
    for (int i = 0; i < F; ++i) e[i] -= pull * x[i];
    if (!gated()) return Plain(stage, t, e);
    float q[N];
#pragma unroll
    for (int j = 0; j < N; ++j) q[j] = sums[j] - pull * sums[N + j];
    Rewrite(stage, t, e, q);
  }

  // h is read once more behind the sum: across it, registers are short.
  __device__ __forceinline__ void HalfSums(int stage, int64_t t, const float (&x)[F],
                                           const float (&e)[F], float (&sums)[2 * N + 1]) const {
    float h[F];
    view_.Row(stage, 2 * N + 1, a_.h + t * view_.d, h);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      float dy[F];
      DNext(stage, t, j, dy);
      if constexpr (N == 1) {
#pragma unroll
        for (int i = 0; i < F; ++i) {
          sums[0] += h[i] * (dy[i] + e[i]);
          sums[1] += h[i] * x[i];
        }
      } else {
        float weight[F];
        Compressor(j, weight);
#pragma unroll
        for (int i = 0; i < F; ++i) {
          const float turned = weight[i] * h[i];
          sums[j] += h[i] * dy[i];
          sums[j] += turned * e[i];
          sums[N + j] += turned * x[i];
        }
      }
    }
  }

  // dY_j + w_j dx, with the compressor's gradient on the way.
  __device__ __forceinline__ void StateGradient(int stage, int64_t t, int j, const float (&dx)[F],
                                                float (&y)[F], float (&dy)[F]) {
    Y(stage, t, j, y);
    DNext(stage, t, j, dy);
    if constexpr (N == 1) {
#pragma unroll
      for (int i = 0; i < F; ++i) dy[i] += dx[i];
    } else {
      float weight[F];
      Compressor(j, weight);
#pragma unroll
      for (int i = 0; i < F; ++i) {
        d_compressor_[j][i] += dx[i] * y[i];
        dy[i] += weight[i] * dx[i];
      }
    }
  }
  __device__ __forceinline__ void Plain(int stage, int64_t t, const float (&dx)[F]) {
#pragma unroll
    for (int j = 0; j < N; ++j) {
      float y[F];
      float dy[F];
      StateGradient(stage, t, j, dx, y, dy);
      view_.Store(dy, a_.d_state + StateAt(t, j));
    }
  }

  // `hq` is h . dY_j, of which q_j = hq_j / |h|.
  __device__ __forceinline__ void Rewrite(int stage, int64_t t, const float (&dx)[F],
                                          const float (&hq)[N]) {
    float h[F];
    view_.Row(stage, 2 * N + 1, a_.h + t * view_.d, h);
    const bool erases = a_.shape.update == Update::kDdl;
    const float beta = view_.Scalar(stage, kBeta);
    const float inverse = 1.0f / view_.Scalar(stage, kNorm);
    float m = 0.0f;
    float dh[F];
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float q = hq[j] * inverse;
      const float row = view_.Scalar(stage, kRow + j);
      m += q * (erases ? (2.0f - beta) * row - view_.Scalar(stage, kValue + j) : row);
      const float erased_q = erases ? q : 0.0f;
      const float back = beta * erased_q * inverse;
      float y[F];
      float dy[F];
      StateGradient(stage, t, j, dx, y, dy);
#pragma unroll
      for (int i = 0; i < F; ++i) {
        const float kept = j == 0 ? dy[i] * row : dh[i] + dy[i] * row;
        dh[i] = kept - y[i] * erased_q;
        dy[i] -= back * h[i];
      }
      view_.Store(dy, a_.d_state + StateAt(t, j));
    }
    const float scale = beta * inverse;
    const float along = scale * inverse * m;
#pragma unroll
    for (int i = 0; i < F; ++i) dh[i] = scale * dh[i] - along * h[i];
    view_.Store(dh, a_.d_h + t * view_.d);
    LogitGradients(stage, t, beta, inverse, hq);
  }

  __device__ __forceinline__ void LogitGradients(int stage, int64_t t, float beta, float inverse,
                                                 const float (&hq)[N]) const {
    const int thread = view_.team.thread;
    if (thread > N) return;
    float d_beta = 0.0f;
    float mine = 0.0f;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      d_beta += hq[j] * view_.Scalar(stage, kRow + j);
      if (thread == j) mine = hq[j];
    }
    if (thread == N) {
      a_.d_beta_logit[t] = d_beta * inverse * beta * (1.0f - 0.5f * beta);
      return;
    }
    const float v = view_.Scalar(stage, kValue + thread);
    const float value_scale = a_.weights.value_scale;
    const float slope = value_scale == 0.0f ? 1.0f : v * (1.0f - v / value_scale);
    a_.d_v_logits[t * N + thread] = beta * mine * inverse * slope;
  }

  // The block's sums in the workspace: teams are added in their order.
  __device__ void LeaveSums(int teams) {
    float* to = a_.workspace + blockIdx.x * PartialStride(a_.shape.d, N);
    LeaveRow<kWide>(view_, kGain, teams, to, &d_gain_);
    LeaveRow<kWide>(view_, kGate, teams, to, &d_gate_);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      LeaveRow<kWide>(view_, kCompressor + j, teams, to, &d_compressor_[j]);
      LeaveRow<kWide>(view_, kCompressor + N + j, teams, to, &d_value_[j]);
    }
    LeaveBiases<N>(view_, teams, to + WeightRows(N) * a_.shape.d, d_bias_);
  }

  const BoundaryBackward<T>& a_;
  BoundaryView<T, F, W, kWide, 2 * N + 2, WeightRows(N)> view_;
  float d_gain_[F];
  float d_gate_[F];
  float d_compressor_[N][F];
  float d_value_[N][F];
  float d_bias_ = 0.0f;
};

template <typename T, int N, int F, int W, bool kWide, bool kFull>
__global__ void __launch_bounds__(kWide ? kWideThreads : kBackwardWarps<N>* kWarp, 1)
    BackwardKernel(const __grid_constant__ BoundaryBackward<T> call, int warps, int teams) {
  extern __shared__ __align__(16) char shared[];
  BackwardTeam<T, N, F, W, kWide, kFull> team(call, shared, warps, teams);
  team.Run(teams);
}

template <typename T, int N, int F, int W, bool kWide, bool kFull>
Outcome Start(const BoundaryBackward<T>& call, const BoundaryPlan& plan, Gpu place) {
  const auto kernel = BackwardKernel<T, N, F, W, kWide, kFull>;
  const auto bytes = static_cast<int>(plan.shared_bytes);
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  kernel<<<plan.blocks, plan.threads(), bytes, place.stream>>>(call, plan.warps, plan.teams);
  AddPartials(call, plan.blocks, place);
  return Launched("boundary backward", cudaGetLastError());
}

template <typename T, int N>
Outcome StartFor(const BoundaryBackward<T>& call, Gpu place) {
  constexpr int kFeatures = sizeof(T) == 2 && N < 8 ? 8 : 4;
  const BoundaryPlan plan =
      PlanBoundary(call.shape, kFeatures, sizeof(T), kBackwardWarps<N>, 2 * N + 2);
  if (plan.blocks == 0) return Outcome("boundary backward: no GPU");
  if (plan.wide) return Start<T, N, kFeatures, 0, true, false>(call, plan, place);
  if constexpr (kFeatures == 8) {  // The widths of the presets: 768 and 1024.
    const bool full = HasAll(call.shape, call.weights) && call.d_next_state != nullptr;
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

int64_t BoundaryWorkspace(int64_t d, int64_t n) {
  return MultiprocessorCount() * PartialStride(d, n);
}

template <typename T>
Outcome Launch(const BoundaryBackward<T>& call, Gpu place) {
  if (Outcome fits = CheckBoundary(call); !fits.ok()) return fits;
  const Outcome room =
      Contract("boundary backward")
          .Aligned("workspace", call.workspace, kVectorBytes)
          .Require(call.workspace_size >= BoundaryWorkspace(call.shape.d, call.shape.n),
                   "workspace_size must be at least BoundaryWorkspace(d, n)")
          .outcome();
  if (!room.ok()) return room;
  switch (call.shape.n) {
    case 1: return StartFor<T, 1>(call, place);
    case 2: return StartFor<T, 2>(call, place);
    case 4: return StartFor<T, 4>(call, place);
    default: return StartFor<T, 8>(call, place);
  }
}

template Outcome Launch(const BoundaryBackward<float>&, Gpu);
template Outcome Launch(const BoundaryBackward<Bf16>&, Gpu);

}  // namespace ddl::kernels
