#include "worker/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ddl {

double LearningRate(const ScheduleConfig& schedule, int64_t tokens) {
  const auto at = static_cast<double>(tokens);
  const auto warmup = static_cast<double>(schedule.warmup_tokens);
  if (tokens < schedule.warmup_tokens) return schedule.peak * at / warmup;
  if (!schedule.cosine) return schedule.peak;
  const double length = static_cast<double>(schedule.total_tokens) - warmup;
  const double progress = length <= 0 ? 1.0 : std::min(1.0, (at - warmup) / length);
  const double shape = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return schedule.peak * (schedule.min_ratio + (1.0 - schedule.min_ratio) * shape);
}

}  // namespace ddl
