// Prometheus families of single runs: the newest ones, for a week after their end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/metric_families.h"
#include "coordinator/core/state.h"
#include "coordinator/core/store.h"

namespace ddl::coordinator {

inline constexpr size_t kMaxVisibleRuns = 500;
inline constexpr absl::Duration kVisibleAfterEnd = absl::Hours(7 * 24);

// Runs that have not ended, or not longer ago than kVisibleAfterEnd; of these the kMaxVisibleRuns
// that were submitted last. Newest first.
std::vector<const v1::RunRecord*> VisibleRuns(const State& state, absl::Time now);

// What the state says of a run.
void AddRunMetrics(const State& state, const v1::RunRecord& run, MetricFamilies* families);

// What the run store says of it.
void AddProgressMetrics(const std::string& run, const RunProgress& progress,
                        MetricFamilies* families);

// Why an attempt was followed by another one: user, infrastructure or preempted.
std::string RestartReason(const v1::AttemptRecord& attempt);

}  // namespace ddl::coordinator
