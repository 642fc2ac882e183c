// What the gates of one step did, as sums over its tokens: gathered while the model runs, added up
// over micro-batches and ranks, read once by the training loop.
//
// Nothing here takes part in autograd, and nothing waits for the device before Sums() is read.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "common/series.h"
#include "worker/model/model_config.h"

namespace ddl {

class GateStatistics {
 public:
  // Columns of Sums(), and behind them one count for each bucket of series::kBetaBuckets and +Inf;
  // a bucket counts the betas of its own interval.
  enum Column : int64_t { kCount, kBetaSum, kLow, kHigh, kSquares, kSquareCount, kFirstBucket };
  static constexpr int64_t kBuckets = static_cast<int64_t>(series::kBetaBuckets.size()) + 1;
  static constexpr int64_t kColumns = kFirstBucket + kBuckets;

  GateStatistics(int64_t layers, at::Device device);
  virtual ~GateStatistics() = default;

  // beta (B,T,1) and the discrepancy v - k^T X (B,T,n) of one sublayer.
  virtual void Observe(int64_t layer, Sublayer sublayer, const at::Tensor& beta,
                       const at::Tensor& discrepancy);

  // (layers, sublayers, kColumns) in float64, on the device; the caller may reduce it in place.
  at::Tensor& Sums() { return sums_; }

 private:
  at::Tensor sums_;
  at::Tensor bounds_;
};

}  // namespace ddl
