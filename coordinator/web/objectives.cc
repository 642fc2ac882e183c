#include "coordinator/web/objectives.h"

#include <cmath>

#include "common/series.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

constexpr int64_t kShareOfSteps = 20;  // A series is read again after one part in so many.

}  // namespace

absl::StatusOr<std::optional<double>> Objectives::Of(const std::string& run, const Lineage& lineage,
                                                     const Objective& objective,
                                                     const RunProgress& progress, bool has_ended) {
  if (objective.series == series::kValLoss && !objective.maximize) {
    if (std::isnan(progress.best_val_loss)) return std::nullopt;
    return progress.best_val_loss;
  }
  const Key key{run, objective.series, objective.maximize};
  {
    MutexLock lock(&mutex_);
    const auto found = known_.find(key);
    if (found != known_.end()) {
      const Known& known = found->second;
      const int64_t more = progress.step - known.step;
      const bool is_enough = more > 0 && more >= known.step / kShareOfSteps;
      if (known.had_ended == has_ended && more >= 0 && !is_enough) return known.best;
    }
  }
  Known known{.step = progress.step, .had_ended = has_ended};
  const auto take = [&](const v1::SeriesChunk& chunk) {
    for (const v1::Point& point : chunk.points()) {
      if (std::isnan(point.value())) continue;
      if (!known.best || IsBetter(objective, point.value(), *known.best)) {
        known.best = point.value();
      }
    }
    return true;
  };
  DDL_RETURN_IF_ERROR(store_.ReadSeries(run, objective.series, lineage, take));
  MutexLock lock(&mutex_);
  known_[key] = known;
  return known.best;
}

void Objectives::Retain(const std::set<std::string>& runs) {
  MutexLock lock(&mutex_);
  std::erase_if(known_, [&](const auto& known) { return runs.count(known.first.run) == 0; });
}

}  // namespace ddl::coordinator
