#include "worker/model/gate_statistics.h"

#include <ATen/core/grad_mode.h>

#include <vector>

namespace ddl {
namespace {

constexpr double kSaturatedLow = 0.05;
constexpr double kSaturatedHigh = 1.95;

}  // namespace

GateStatistics::GateStatistics(int64_t layers, at::Device device)
    : sums_(at::zeros({layers, kSublayers, kColumns},
                      at::TensorOptions().dtype(at::kDouble).device(device))) {
  std::vector<double> bounds(series::kBetaBuckets.begin(), series::kBetaBuckets.end());
  bounds_ = at::tensor(bounds, at::kDouble).to(device);
}

void GateStatistics::Observe(int64_t layer, Sublayer sublayer, const at::Tensor& beta,
                             const at::Tensor& discrepancy) {
  const at::NoGradGuard no_grad;
  const at::Tensor values = beta.detach().reshape(-1).to(at::kDouble);
  at::Tensor row = sums_.select(0, layer).select(0, static_cast<int64_t>(sublayer));
  row.select(0, kCount).add_(static_cast<double>(values.numel()));
  row.select(0, kBetaSum).add_(values.sum());
  row.select(0, kLow).add_(values.lt(kSaturatedLow).sum());
  row.select(0, kHigh).add_(values.gt(kSaturatedHigh).sum());
  row.select(0, kSquares).add_(discrepancy.detach().square().sum(at::kDouble));
  row.select(0, kSquareCount).add_(static_cast<double>(discrepancy.numel()));
  const at::Tensor bucket = at::bucketize(values, bounds_);
  row.narrow(0, kFirstBucket, kBuckets).add_(at::bincount(bucket, {}, kBuckets));
}

}  // namespace ddl
