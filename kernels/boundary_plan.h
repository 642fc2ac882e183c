// How a boundary call is laid over the GPU: one block for each multiprocessor, several teams in a
// block, each team a token at a time. Weights stay in shared memory, and the next token's rows and
// scalars come ahead into a ring of kStages.
//
// Shared memory: [scratch][scalars: a warp's own][weights][ring: teams x kStages x data rows]. A
// weight row is stored as F/4 parts of four floats for each thread, so that a warp's accesses meet
// no bank twice. A thread reads only what it copied itself, so that rows need no barrier; slots
// that nothing is copied to hold zeros. Where that does not fit (very wide states), the plan is
// `wide`: one team, rows and weights from global memory.
#pragma once

#include "kernels/boundary.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {

struct BoundaryPlan {
  bool wide = false;
  int warps = 0;   // of a team
  int teams = 0;   // of a block
  int blocks = 0;  // of the grid
  int64_t shared_bytes = 0;

  int threads() const { return warps * teams * kWarp; }
};

// Rows of weights in shared memory, and of their gradients in the workspace: gain, gate, n of the
// compressor, n of the value head.
inline constexpr int kGain = 0;
inline constexpr int kGate = 1;
inline constexpr int kCompressor = 2;
__host__ __device__ constexpr int WeightRows(int n) { return 2 * n + 2; }

// Values that one block leaves in the workspace: weight rows, n + 1 biases, in whole float4.
__host__ __device__ inline int64_t PartialStride(int64_t d, int64_t n) {
  return (WeightRows(static_cast<int>(n)) * d + n + 1 + 3) / 4 * 4;
}

// A gated update with both heads, v of x: what the presets run, and what has code of its own.
inline bool HasAll(const BoundaryShape& s, const BoundaryWeights<float>& w) {
  return s.update >= Update::kWriteOnly && w.value_weight != nullptr && w.gate_weight != nullptr &&
         !w.value_reads_c;
}

// Tokens that a team has in shared memory: the current one and the next, on its way.
inline constexpr int kStages = 2;

// Scalars of a token: at most 28, one for each lane.
inline constexpr int64_t kScalarBytes = kWarp * 4;

// `features` of a thread; a block has at most `most_warps`; a token has `data_rows` rows.
inline BoundaryPlan PlanBoundary(const BoundaryShape& s, int features, int element_bytes,
                                 int most_warps, int data_rows) {
  constexpr int kMostTeams = 8;
  BoundaryPlan plan;
  const int multiprocessors = MultiprocessorCount();
  plan.warps = static_cast<int>((s.d + kWarp * features - 1) / (kWarp * features));
  const int64_t padded = int64_t{plan.warps} * kWarp * features;
  const int64_t weights = WeightRows(static_cast<int>(s.n)) * padded * 4;
  const int64_t sums = ScratchFloats(1, plan.warps) * 4 + kStages * plan.warps * kScalarBytes;
  const int64_t team = kStages * data_rows * padded * element_bytes + sums;
  const int64_t fitting = (SharedMemoryLimit() - weights) / team;
  int64_t teams = most_warps / plan.warps;
  teams = teams < kMostTeams ? teams : kMostTeams;
  teams = teams < fitting ? teams : fitting;
  plan.wide = teams < 1;
  plan.teams = plan.wide ? 1 : static_cast<int>(teams);
  plan.shared_bytes = plan.wide ? sums : weights + plan.teams * team;
  const int64_t needed = (s.tokens + plan.teams - 1) / plan.teams;
  plan.blocks = static_cast<int>(needed < multiprocessors ? needed : multiprocessors);
  return plan;
}

// Where a lane's scalar comes from: at[t * stride], or nowhere.
struct ScalarSource {
  const float* at = nullptr;
  int stride = 0;
};

// What a thread of a boundary kernel sees: its features of weights and of the current token's rows.
// W is the number of warps of a team, or 0 where it is known at run time only.
template <typename T, int F, int W, bool kWide, int kDataRows, int kWeightRows>
class BoundaryView {
 public:
  static constexpr int kBytes = F * static_cast<int>(sizeof(T));

  __device__ BoundaryView(char* shared, int64_t width, int warps, int teams)
      : d(width), warps_(warps) {
    // The shuffle tells the compiler that a warp has one value: rows get uniform addresses.
    const int warp = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / kWarp, 0);
    team.index = warp / this->warps();
    team.warps = W > 0 ? W : warps;
    team.thread = warp % this->warps() * kWarp + static_cast<int>(threadIdx.x) % kWarp;
    team.scratch = reinterpret_cast<float*>(shared);
    first = static_cast<unsigned>(team.thread * F);
    active = first < width;
    char* after = shared + 2 * teams * this->warps() * kSumRow * 4;
    scalars_ = reinterpret_cast<float*>(after) + warp * kStages * kWarp;
    after += kStages * teams * this->warps() * kWarp * 4;
    weights_ = after + team.thread * 16;
    if constexpr (kWide) return;
    slots_ = after + kWeightRows * threads() * F * 4 + team.index * kStages * StageBytes() +
             team.thread * kBytes;
    for (int row = 0; row < kStages * kDataRows; ++row) {
      for (int byte = 0; byte < kBytes; byte += 4) {
        *reinterpret_cast<float*>(slots_ + row * threads() * kBytes + byte) = 0.0f;
      }
    }
  }

  __device__ __forceinline__ int warps() const { return W > 0 ? W : warps_; }
  __device__ __forceinline__ int threads() const { return warps() * kWarp; }

  // This lane's scalar from now on; all stages begin at zero.
  __device__ void SetScalar(const ScalarSource& source) {
    scalar_ = source;
    const int lane = threadIdx.x % kWarp;
    for (int stage = 0; stage < kStages; ++stage) scalars_[stage * kWarp + lane] = 0.0f;
    __syncwarp();
  }
  __device__ __forceinline__ void ScalarAhead(int stage, int64_t t) const {
    if (scalar_.at == nullptr) return;
    const auto to = static_cast<uint32_t>(
        __cvta_generic_to_shared(scalars_ + stage * kWarp + threadIdx.x % kWarp));
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to),
                 "l"(scalar_.at + t * scalar_.stride)
                 : "memory");
  }
  __device__ __forceinline__ float Scalar(int stage, int index) const {
    return scalars_[stage * kWarp + index];
  }

  // Place of this thread's part of a weight row in shared memory.
  __device__ __forceinline__ float* Part(int row, int part) const {
    return reinterpret_cast<float*>(weights_ + (row * (F / 4) + part) * threads() * 16);
  }
  __device__ void StageWeights(const BoundaryWeights<float>& w, int n) const {
    const auto channel = [&](const float* weight, int j) {
      return weight == nullptr ? nullptr : weight + j * d;
    };
    StageWeight(kGain, w.gain, 0.0f);
    StageWeight(kGate, w.gate_weight, 0.0f);
    for (int j = 0; j < n; ++j) {
      StageWeight(kCompressor + j, channel(w.compressor, j), 1.0f);
      StageWeight(kCompressor + n + j, channel(w.value_weight, j), 0.0f);
    }
  }
  // The first team fills a row; `source` may be null.
  __device__ void StageWeight(int row, const float* source, float otherwise) const {
    if constexpr (!kWide) {
      if (team.index != 0) return;
#pragma unroll
      for (int part = 0; part < F / 4; ++part) {
        float values[4] = {otherwise, otherwise, otherwise, otherwise};
        if (active && source != nullptr) LoadElements<4>(source + first + 4 * part, values);
#pragma unroll
        for (int i = 0; i < 4; ++i) Part(row, part)[i] = active ? values[i] : 0.0f;
      }
    }
  }
  __device__ __forceinline__ void Weight(int row, const float* source, float otherwise,
                                         float (&to)[F]) const {
    if constexpr (kWide) {
#pragma unroll
      for (int i = 0; i < F; ++i) to[i] = active ? otherwise : 0.0f;
      if (active && source != nullptr) LoadElements<F>(source + first, to);
    } else {
#pragma unroll
      for (int part = 0; part < F / 4; ++part) {
        const float4 four = *reinterpret_cast<const float4*>(Part(row, part));
        to[4 * part] = four.x;
        to[4 * part + 1] = four.y;
        to[4 * part + 2] = four.z;
        to[4 * part + 3] = four.w;
      }
    }
  }

  // Starts the copy of this thread's part of one row; only active threads may ask.
  __device__ __forceinline__ void Ahead(int stage, int row, const T* source) const {
    if constexpr (!kWide) CopyAhead<kBytes>(Slot(stage, row), source + first);
  }
  // Stores this thread's part of a row and leaves in `values` what was stored.
  __device__ __forceinline__ void Store(float (&values)[F], T* row, bool wanted = true) const {
    StoreElements<F>(values, row + first, active && wanted);
  }
  // A row of the current token: from the ring, or in a wide plan from `source`, null for zeros.
  __device__ __forceinline__ void Row(int stage, int row, const T* source, float (&to)[F]) const {
    if constexpr (kWide) {
      Clear(to);
      if (active && source != nullptr) LoadElements<F>(source + first, to);
    } else {
      LoadElements<F>(reinterpret_cast<const T*>(Slot(stage, row)), to);
    }
  }

  const int64_t d;
  unsigned first;  // feature
  bool active;
  Team<W> team;

 private:
  __device__ __forceinline__ int StageBytes() const { return kDataRows * threads() * kBytes; }
  __device__ __forceinline__ char* Slot(int stage, int row) const {
    return slots_ + stage * StageBytes() + row * threads() * kBytes;
  }

  int warps_;
  char* weights_;
  char* slots_;
  float* scalars_;
  ScalarSource scalar_;
};

}  // namespace ddl::kernels
