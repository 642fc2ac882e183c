#include "worker/train/generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/check.h"

namespace ddl {

int64_t SampleToken(const std::vector<float>& logits, const SamplingConfig& config,
                    double uniform) {
  DDL_CHECK(!logits.empty());
  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
  });
  if (config.temperature == 0) return order.front();
  if (config.top_k > 0 && config.top_k < static_cast<int64_t>(order.size())) {
    order.resize(static_cast<size_t>(config.top_k));
  }
  std::vector<double> weights;
  const double largest = logits[static_cast<size_t>(order.front())];
  for (const int64_t token : order) {
    weights.push_back(
        std::exp((logits[static_cast<size_t>(token)] - largest) / config.temperature));
  }
  const double whole = std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t kept = 0;
  double mass = 0;
  while (kept < weights.size() && (kept == 0 || mass < config.top_p * whole)) {
    mass += weights[kept++];
  }
  double left = uniform * mass;
  for (size_t i = 0; i + 1 < kept; ++i) {
    left -= weights[i];
    if (left < 0) return order[i];
  }
  return order[kept - 1];
}

}  // namespace ddl
