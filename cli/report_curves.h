// The charts of a report, from the recorded points of runs: one line for each arm, its mean over
// seeds with a band from the lowest to the highest. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/chart.h"
#include "cli/run_source.h"
#include "common/comparison_arms.h"

namespace ddl::cli {

// An arm with its runs as ReadRuns gave them.
struct ReportArm {
  std::string label;
  std::vector<const SourcedRun*> runs;
};

// Arms in the order of the comparison's labels. `runs` must outlive them.
std::vector<ReportArm> ArmsOf(const std::vector<SourcedRun>& runs, const std::string& metric);

// The series by tokens, flops or time. A place counts when all runs of the arm have a point there;
// `buckets` above zero averages neighbouring points so that at most so many are left.
Chart SeriesChart(const std::vector<ReportArm>& arms, const std::string& series,
                  const std::string& x, size_t buckets);

// The mean gate beta of each layer at the end, a line for each arm and sublayer; no lines when no
// run has gates.
Chart GateChart(const std::vector<ReportArm>& arms);

}  // namespace ddl::cli
