#include "kernels/cross_entropy.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {
namespace {

// A row of 50304 Bf16 is 98 KiB: a block of all threads of a multiprocessor holds two, the current
// one and the next on its way, so that each is read from memory once. A thread reads only what it
// copied itself. Longer rows are read twice, mostly from the second-level cache.
constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarp;
constexpr int64_t kOtherSharedBytes = 1024;
constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

// A running log-sum-exp in base 2: sum of 2^(x - largest).
struct Running {
  float largest;
  float sum;
  __device__ __forceinline__ void Meet(const Running& other) {
    const float top = fmaxf(largest, other.largest);
    const float base = top == -INFINITY ? 0.0f : top;  // Nothing yet, or NaN alone, which stays.
    sum = sum * exp2f(largest - base) + other.sum * exp2f(other.largest - base);
    largest = top;
  }
};

// All threads leave with the sum over the block, met in a fixed tree. `warps` is one of two buffers
// used in turn, so that one barrier a row is enough.
__device__ __forceinline__ Running MeetAll(Running mine, Running* warps) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const Running other = {__shfl_xor_sync(0xffffffffu, mine.largest, offset),
                           __shfl_xor_sync(0xffffffffu, mine.sum, offset)};
    mine.Meet(other);
  }
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = mine;
  __syncthreads();
  Running all = warps[threadIdx.x % kWarps];
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const Running other = {__shfl_xor_sync(0xffffffffu, all.largest, offset),
                           __shfl_xor_sync(0xffffffffu, all.sum, offset)};
    all.Meet(other);
  }
  return all;
}

template <typename T, bool kStaged>
class Rows {
 public:
  static constexpr int kF = 16 / static_cast<int>(sizeof(T));

  __device__ Rows(const CrossEntropy<T>& call, char* shared)
      : c_(call),
        scale_(call.logit_scale * kLog2E),
        staged_(reinterpret_cast<T*>(shared)),
        whole_(static_cast<int>(call.vocabulary / kF)),
        all_(static_cast<int>(call.stride / kF)) {}

  // Starts the copy of row t, if it is there.
  __device__ __forceinline__ void Fetch(int stage, int64_t t) {
    if constexpr (kStaged) {
      if (t < c_.tokens) {
        const T* row = c_.logits + t * c_.stride;
        for (int vector = threadIdx.x; vector < all_; vector += kThreads) {
          CopyAhead<16>(Staged(stage) + vector * kF, row + vector * kF);
        }
      }
      CloseCopies();
      AwaitCopies<1>();
    }
  }

  __device__ void Run(int64_t t, int stage, int64_t target, Running* warps) {
    T* row = c_.logits + t * c_.stride;
    const T* from = kStaged ? Staged(stage) : row;
    const bool known = target >= 0 && target < c_.vocabulary;
    const int place = known ? static_cast<int>(target / kF) : 0;
    const bool mine = static_cast<int>(threadIdx.x) == place % kThreads;
    const float logit = known && mine ? c_.logit_scale * ToFloat(from[target]) : 0.0f;
    const Running all = MeetAll(Read(from), warps);
    if (mine) {
      const float none = target == -1 ? 0.0f : NAN;
      c_.losses[t] = known ? (log2f(all.sum) + all.largest) * kLn2 - logit : none;
    }
    if (c_.loss_alone) return;
    if (!known) {  // No gradient, whatever the logits are.
      for (int64_t i = threadIdx.x; i < c_.stride; i += kThreads) row[i] = FromFloat<T>(0.0f);
      return;
    }
    const float scale = c_.gradient_scale * c_.logit_scale;
    WriteGradient(all, from, scale, row);
    if (!mine) return;
    // This thread has written the target's element itself, so that the later store stands.
    const float p = exp2f(logit * kLog2E - all.largest) / all.sum;
    row[target] = FromFloat<T>(scale * (p - 1.0f));
  }

 private:
  __device__ __forceinline__ T* Staged(int stage) const { return staged_ + stage * c_.stride; }

  // Whole vectors inside the vocabulary ask nothing of their elements; the last one may.
  __device__ __forceinline__ Running Read(const T* from) const {
    Running run = {-INFINITY, 0.0f};
#pragma unroll 2
    for (int vector = threadIdx.x; vector < all_; vector += kThreads) {
      float x[kF];
      LoadElements<kF>(from + vector * kF, x);
      if (vector >= whole_) {
#pragma unroll
        for (int i = 0; i < kF; ++i) {
          x[i] = int64_t{vector} * kF + i < c_.vocabulary ? x[i] : -INFINITY;
        }
      }
      Meet(x, &run);
    }
    return run;
  }
  // The largest logit rises a few times in a row; only then is the sum scaled anew.
  __device__ __forceinline__ void Meet(const float (&x)[kF], Running* run) const {
    float top = x[0];
#pragma unroll
    for (int i = 1; i < kF; ++i) top = fmaxf(top, x[i]);
    top *= scale_;
    if (top > run->largest) {
      run->sum *= exp2f(run->largest - top);
      run->largest = top;
    }
    const float base = run->largest == -INFINITY ? 0.0f : run->largest;
#pragma unroll
    for (int i = 0; i < kF; ++i) run->sum += exp2f(x[i] * scale_ - base);
  }
  // scale 2^(x - largest) / sum over the row, zero behind the vocabulary.
  __device__ __forceinline__ void WriteGradient(const Running& all, const T* from, float scale,
                                                T* row) const {
    const float over = scale / all.sum;
#pragma unroll 2
    for (int vector = threadIdx.x; vector < all_; vector += kThreads) {
      float x[kF];
      LoadElements<kF>(from + vector * kF, x);
#pragma unroll
      for (int i = 0; i < kF; ++i) x[i] = over * exp2f(x[i] * scale_ - all.largest);
      if (vector >= whole_) {
#pragma unroll
        for (int i = 0; i < kF; ++i) {
          x[i] = int64_t{vector} * kF + i < c_.vocabulary ? x[i] : 0.0f;
        }
      }
      StoreElements<kF>(x, row + vector * kF, true);
    }
  }

  const CrossEntropy<T>& c_;
  float scale_;
  T* staged_;
  int whole_;  // vectors inside the vocabulary
  int all_;    // vectors of a row
};

template <typename T, bool kStaged>
__global__ void __launch_bounds__(kThreads, 1)
    CrossEntropyKernel(const __grid_constant__ CrossEntropy<T> call) {
  extern __shared__ __align__(16) char shared[];
  __shared__ Running warps[2][kWarps];
  Rows<T, kStaged> rows(call, shared);
  int64_t t = blockIdx.x;
  if (kStaged) rows.Fetch(0, t);
  int64_t target = call.targets[t];
  for (int stage = 0; t < call.tokens; t += gridDim.x, stage ^= 1) {
    const int64_t next = t + gridDim.x;
    const int64_t next_target = next < call.tokens ? call.targets[next] : 0;
    rows.Fetch(stage ^ 1, next);
    rows.Run(t, stage, target, warps[stage]);
    target = next_target;
  }
  AwaitCopies<0>();
}

template <typename T, bool kStaged>
Outcome Start(const CrossEntropy<T>& call, int64_t bytes, Gpu place) {
  const auto kernel = CrossEntropyKernel<T, kStaged>;
  const auto shared = static_cast<int>(kStaged ? 2 * bytes : 0);
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
  const int64_t most = MultiprocessorCount();
  const auto blocks = static_cast<unsigned>(call.tokens < most ? call.tokens : most);
  kernel<<<blocks, kThreads, shared, place.stream>>>(call);
  return Launched("cross entropy", cudaGetLastError());
}

}  // namespace

template <typename T>
Outcome Launch(const CrossEntropy<T>& call, Gpu place) {
  if (Outcome fits = CheckCrossEntropy(call); !fits.ok()) return fits;
  const int64_t bytes = call.stride * static_cast<int64_t>(sizeof(T));
  return 2 * bytes + kOtherSharedBytes <= SharedMemoryLimit() ? Start<T, true>(call, bytes, place)
                                                              : Start<T, false>(call, bytes, place);
}

template Outcome Launch(const CrossEntropy<float>&, Gpu);
template Outcome Launch(const CrossEntropy<Bf16>&, Gpu);

}  // namespace ddl::kernels
