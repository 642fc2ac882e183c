#include "kernels/column_sums.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {
namespace {

// A block sums 32 columns: sixteen warps take every sixteenth row each, then their sums meet in
// order.
constexpr int kColumns = 32;
constexpr int kGroups = 16;

__global__ void __launch_bounds__(kColumns* kGroups)
    ColumnSumsKernel(const __grid_constant__ ColumnSums sums) {
  const ColumnSums::Range& range = sums.range[blockIdx.y];
  const int64_t column = int64_t{blockIdx.x} * kColumns + threadIdx.x;
  const bool inside = column < range.count;
  float sum = 0.0f;
  if (inside) {
    const float* from = sums.from + range.first + column;
#pragma unroll 8
    for (int64_t row = threadIdx.y; row < sums.rows; row += kGroups) {
      sum += from[row * sums.stride];
    }
  }
  __shared__ float parts[kGroups][kColumns];
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || !inside) return;
  for (int group = 1; group < kGroups; ++group) sum += parts[group][threadIdx.x];
  if (range.gain != nullptr) sum *= range.gain[column % range.gain_period];
  range.to[column] += sum;
}

}  // namespace

void StartColumnSums(const ColumnSums& sums, Gpu place) {
  int64_t widest = 0;
  for (int i = 0; i < sums.ranges; ++i) {
    widest = widest > sums.range[i].count ? widest : sums.range[i].count;
  }
  const dim3 grid(static_cast<unsigned>((widest + kColumns - 1) / kColumns),
                  static_cast<unsigned>(sums.ranges));
  ColumnSumsKernel<<<grid, dim3(kColumns, kGroups), 0, place.stream>>>(sums);
}

}  // namespace ddl::kernels
