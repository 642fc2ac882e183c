#include "worker/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ddl {
namespace {

// How far `tokens` is from `begin` to `end`, in [0, 1]; 1 for an empty way.
double Progress(int64_t tokens, int64_t begin, int64_t end) {
  if (tokens >= end) return 1.0;
  return std::max(0.0, static_cast<double>(tokens - begin) / static_cast<double>(end - begin));
}

// The share of the way from the peak to min_ratio that is left.
double Left(const ScheduleConfig& schedule, int64_t tokens) {
  const int64_t end = schedule.total_tokens;
  switch (schedule.shape) {
    case ScheduleShape::kConstant: return 1.0;
    case ScheduleShape::kCosine: {
      const double progress = Progress(tokens, schedule.warmup_tokens, end);
      return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    }
    case ScheduleShape::kLinear: return 1.0 - Progress(tokens, schedule.warmup_tokens, end);
    case ScheduleShape::kWarmupStableDecay:
      return 1.0 - Progress(tokens, end - schedule.decay_tokens, end);
  }
  return 1.0;
}

}  // namespace

double RateFactor(const ScheduleConfig& schedule, int64_t tokens) {
  if (tokens < schedule.warmup_tokens) {
    return static_cast<double>(tokens) / static_cast<double>(schedule.warmup_tokens);
  }
  return 1.0 - (1.0 - schedule.min_ratio) * (1.0 - Left(schedule, tokens));
}

}  // namespace ddl
