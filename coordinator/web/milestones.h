// Validation loss at fixed token counts, exact and cheap to plot: ddl_run_milestone_val_loss.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "coordinator/core/store.h"

namespace ddl::coordinator {

inline constexpr std::array<int64_t, 6> kMilestoneTokens = {100'000,    1'000'000,   8'000'000,
                                                            20'000'000, 100'000'000, 1'000'000'000};

// Remembers what it has read: a run's series is read again only when the run reaches its next
// milestone.
class Milestones {
 public:
  explicit Milestones(Store* store) : store_(*store) {}

  // Loss by milestone, for those that `progress` has reached: that of the last validation at or
  // before it. No entry where there was none yet.
  absl::StatusOr<std::map<int64_t, double>> Of(const std::string& run, const Lineage& lineage,
                                               const RunProgress& progress);
  // Forgets all runs but these.
  void Retain(const std::set<std::string>& runs);

 private:
  struct Known {
    size_t reached = 0;
    std::map<int64_t, double> losses;
  };
  Store& store_;
  Mutex mutex_;
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::coordinator
