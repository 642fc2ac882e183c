// Learning rate as a function of tokens, so that it does not depend on the batch size.
#pragma once

#include <cstdint>
#include <string>

namespace ddl {

struct ScheduleConfig {
  bool cosine = true;  // Else constant after warm-up.
  double peak = 1e-3;
  int64_t warmup_tokens = 0;
  double min_ratio = 0.1;    // Final over peak; only for cosine.
  int64_t total_tokens = 1;  // Of the whole run.
};

// Of the step that brings the run to `tokens` tokens. Linear from 0 to the peak over the warm-up,
// then half a cosine down to min_ratio * peak at total_tokens, where it stays.
double LearningRate(const ScheduleConfig& schedule, int64_t tokens);

}  // namespace ddl
