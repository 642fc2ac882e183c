#include "coordinator/web/milestones.h"

#include <algorithm>

#include "common/series.h"
#include "common/status.h"

namespace ddl::coordinator {

absl::StatusOr<std::map<int64_t, double>> Milestones::Of(const std::string& run,
                                                         const Lineage& lineage,
                                                         const RunProgress& progress) {
  const auto reached = static_cast<size_t>(
      std::upper_bound(kMilestoneTokens.begin(), kMilestoneTokens.end(), progress.tokens) -
      kMilestoneTokens.begin());
  {
    MutexLock lock(&mutex_);
    const auto found = known_.find(run);
    if (found != known_.end() && found->second.reached >= reached) return found->second.losses;
  }
  Known known{.reached = reached};
  DDL_RETURN_IF_ERROR(store_.ReadSeries(run, std::string(series::kValLoss), lineage,
                                        [&](const v1::SeriesChunk& chunk) {
                                          for (const v1::Point& point : chunk.points()) {
                                            for (size_t i = 0; i < reached; ++i) {
                                              if (point.tokens() <= kMilestoneTokens[i]) {
                                                known.losses[kMilestoneTokens[i]] = point.value();
                                              }
                                            }
                                          }
                                          return true;
                                        }));
  MutexLock lock(&mutex_);
  return (known_[run] = std::move(known)).losses;
}

void Milestones::Retain(const std::set<std::string>& runs) {
  MutexLock lock(&mutex_);
  for (auto known = known_.begin(); known != known_.end();) {
    known = runs.count(known->first) > 0 ? std::next(known) : known_.erase(known);
  }
}

}  // namespace ddl::coordinator
