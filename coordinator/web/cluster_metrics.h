// Prometheus families of the whole installation: queue, slots, workers, sweeps, finished runs.
//
// All are functions of the state, so that counters go on after a restart where they were.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "common/metric_families.h"
#include "coordinator/core/state.h"
#include "coordinator/web/objectives.h"

namespace ddl::coordinator {

inline constexpr size_t kMaxVisibleSweeps = 100;

void AddSchedulerMetrics(const State& state, MetricFamilies* families);
// Of workers that have been heard in this term.
void AddHeartbeats(const std::map<std::string, absl::Time>& heard, MetricFamilies* families);
// What the runs of a sweep are compared by.
Objective ObjectiveOf(const v1::ExperimentRecord& sweep);
// Trials by state, and the best of `objectives`: the value of each run of a sweep that has one, in
// its sweep's metric. The newest kMaxVisibleSweeps.
void AddSweepMetrics(const State& state, const std::map<std::string, double>& objectives,
                     MetricFamilies* families);

}  // namespace ddl::coordinator
