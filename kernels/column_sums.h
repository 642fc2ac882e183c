// The last step of every weight gradient on the GPU: rows of partial sums, one a block, added up in
// their order and then to the gradients.
#pragma once

#include <cstdint>

#include "kernels/launch.h"

namespace ddl::kernels {

struct ColumnSums {
  // Columns [first, first + count) go to `to`, times gain[column % gain_period] where it is given.
  struct Range {
    int64_t first;
    int64_t count;
    float* to;
    const float* gain;
    int64_t gain_period;
  };
  static constexpr int kMostRanges = 6;

  const float* from = nullptr;  // (rows, stride)
  int64_t rows = 0;
  int64_t stride = 0;
  int ranges = 0;
  Range range[kMostRanges];

  void Add(int64_t first, int64_t count, float* to, const float* gain = nullptr,
           int64_t gain_period = 1) {
    range[ranges++] = {first, count, to, gain, gain_period};
  }
};

void StartColumnSums(const ColumnSums& sums, Gpu place);

}  // namespace ddl::kernels
