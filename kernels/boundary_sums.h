// How the backward boundary's weight gradients leave the registers: teams of a block are added in
// their order, blocks in theirs, so that the same call gives the same bits.
#pragma once

#include "kernels/boundary_plan.h"
#include "kernels/column_sums.h"

namespace ddl::kernels {

// One row of the block's sums, written to its place behind `to`. Weights are read no more: their
// place in shared memory holds the sums on the way.
template <bool kWide, int F, typename View>
__device__ __forceinline__ void LeaveRow(const View& view, int row, int teams, float* to,
                                         float (*values)[F]) {
  if constexpr (!kWide) {
    for (int team = 0; team < teams; ++team) {
      __syncthreads();
      if (view.team.index != team) continue;
#pragma unroll
      for (int i = 0; i < F; ++i) {
        float* place = view.Part(row, i / 4) + i % 4;
        (*values)[i] = team == 0 ? (*values)[i] : *place + (*values)[i];
        *place = (*values)[i];
      }
    }
    if (view.team.index != teams - 1) return;
  }
  if (!view.active) return;
  float* place = to + row * view.d + view.first;
#pragma unroll
  for (int i = 0; i < F; ++i) place[i] = (*values)[i];
}

// Thread j of a team holds the sum for value bias j, thread N that for the gate's bias.
template <int N, typename View>
__device__ __forceinline__ void LeaveBiases(const View& view, int teams, float* to, float mine) {
  float* sums = view.team.scratch;
  __syncthreads();
  if (view.team.thread <= N) sums[view.team.index * (N + 1) + view.team.thread] = mine;
  __syncthreads();
  if (threadIdx.x > N) return;
  float sum = 0.0f;
  for (int team = 0; team < teams; ++team) sum += sums[team * (N + 1) + threadIdx.x];
  to[threadIdx.x] = sum;
}

// Adds the blocks' sums to the gradients. Gate and value gradients of a head that reads c lack its
// gain, the same for all tokens.
template <typename T>
void AddPartials(const BoundaryBackward<T>& call, int blocks, Gpu place) {
  const int64_t d = call.shape.d;
  const int64_t n = call.shape.n;
  const BoundaryWeights<float>& w = call.weights;
  ColumnSums sums;
  sums.rows = blocks;
  sums.stride = PartialStride(d, n);
  sums.from = call.workspace;
  const float* gain = w.gain;
  sums.Add(kGain * d, d, call.d_gain);
  if (w.gate_weight != nullptr) {
    sums.Add(kGate * d, d, call.d_gate_weight, gain, d);
    sums.Add((2 * n + 2) * d + n, 1, call.d_gate_bias);
  }
  if (w.compressor != nullptr) sums.Add(kCompressor * d, n * d, call.d_compressor);
  if (w.value_weight != nullptr) {
    sums.Add((kCompressor + n) * d, n * d, call.d_value_weight, w.value_reads_c ? gain : nullptr,
             d);
    sums.Add((2 * n + 2) * d, n, call.d_value_bias);
  }
  StartColumnSums(sums, place);
}

}  // namespace ddl::kernels
