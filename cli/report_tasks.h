// Reports over several synthetic tasks: values of different tasks cannot be compared with one
// another, but one table can say which residual solves which. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/report_curves.h"
#include "cli/run_source.h"

namespace ddl::cli {

// Mean accuracy from which a task counts as solved.
inline constexpr double kSolvedAccuracy = 0.95;

// Runs on the same data. `name` is empty for what is no synthetic data.
struct ReportTask {
  std::string name;   // "s3, T 16".
  double chance = 0;  // ChanceAccuracy.
  std::vector<SourcedRun> runs;
};

// By name, when all runs train on synthetic data; else one of all runs, without a name.
std::vector<ReportTask> SortByTask(std::vector<SourcedRun> runs);

// The table: a row for each arm, a column for each task, the mean over seeds of the last validation
// accuracy and of that at the last position; chance below. Empty without synthetic tasks.
std::string SolvedHtml(const std::vector<ReportTask>& tasks);

// The last validation's accuracy at each position, a line for each arm; no lines when the runs
// recorded none.
Chart PositionChart(const std::vector<ReportArm>& arms);

// One row of a table of the report, escaped: the one way to write them.
std::string TableRow(const std::vector<std::string>& cells, const char* tag);

}  // namespace ddl::cli
