// Where a run stands at a step boundary: all of a run's state that is no tensor.
#pragma once

#include <cstdint>
#include <limits>

namespace ddl {

struct Progress {
  int64_t step = 0;             // Completed steps, skipped ones included.
  int64_t tokens = 0;           // Over all ranks and attempts.
  int64_t optimizer_steps = 0;  // Without the skipped ones.
  double active_seconds = 0;    // In steps, over all attempts of the lineage.
  double best_val_loss = std::numeric_limits<double>::infinity();
  bool finite = true;  // The last loss and gradient norm were.
};

// Whether the step that led from `before` to `after` tokens passed a multiple of `every`.
inline bool Passed(int64_t before, int64_t after, int64_t every) {
  return after / every > before / every;
}

}  // namespace ddl
