// The learning rate's schedule as a function of tokens, so that it does not depend on the batch
// size.
#pragma once

#include <cstdint>

namespace ddl {

// What follows the linear warm-up from 0 to the peak.
enum class ScheduleShape {
  kConstant,          // The peak, to the end.
  kCosine,            // Half a cosine down to min_ratio at total_tokens.
  kLinear,            // A line down to min_ratio at total_tokens.
  kWarmupStableDecay  // The peak, and a line down to min_ratio over the last decay_tokens.
};

struct ScheduleConfig {
  ScheduleShape shape = ScheduleShape::kCosine;
  int64_t warmup_tokens = 0;
  int64_t decay_tokens = 0;  // Only for kWarmupStableDecay; with the warm-up at most total_tokens.
  double min_ratio = 0.1;    // Final rate over the peak; not for kConstant.
  int64_t total_tokens = 1;  // Of the whole run.
};

// In [0, 1]: the rate over its peak in the step that brings the run to `tokens` tokens. Continuous
// in tokens; behind total_tokens it stays where it was.
double RateFactor(const ScheduleConfig& schedule, int64_t tokens);

}  // namespace ddl
