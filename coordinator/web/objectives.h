// The best value that each run of a sweep has reached in the sweep's metric, whichever series and
// direction that is: ddl_sweep_best_objective.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "coordinator/core/store.h"

namespace ddl::coordinator {

struct Objective {
  std::string series;
  bool maximize = false;
};

// Whether `value` is better than `other` in the objective's direction.
inline bool IsBetter(const Objective& objective, double value, double other) {
  return objective.maximize ? value > other : value < other;
}

// Remembers what it has read: a live run's series is read again when the run has taken a twentieth
// more steps, so that all reads of a run together cost no more than a few of its whole series.
class Objectives {
 public:
  explicit Objectives(Store* store) : store_(*store) {}

  // Nothing before the first point. The lowest validation loss is in `progress` and never read.
  absl::StatusOr<std::optional<double>> Of(const std::string& run, const Lineage& lineage,
                                           const Objective& objective, const RunProgress& progress,
                                           bool has_ended);
  // Forgets all runs but these.
  void Retain(const std::set<std::string>& runs);

 private:
  struct Key {
    std::string run;
    std::string series;
    bool maximize = false;
    auto operator<=>(const Key&) const = default;  // NOLINT(modernize-use-nullptr)
  };
  struct Known {
    int64_t step = 0;  // Of the run when its series was read.
    bool had_ended = false;
    std::optional<double> best;
  };
  Store& store_;
  Mutex mutex_;
  std::map<Key, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::coordinator
