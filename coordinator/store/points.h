// The run store: every metric point once, and the latest values of each run beside them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/core/store.h"
#include "coordinator/store/sqlite.h"

namespace ddl::coordinator {

inline constexpr size_t kMaxSeriesOfRun = 1000;
inline constexpr size_t kPageRows = 999;

// What became of the points offered.
struct PointCounts {
  uint64_t ingested = 0;
  uint64_t repeated = 0;     // Already there, with the same values.
  uint64_t conflicting = 0;  // Already there, with other values: the first stays.
  uint64_t over_cap = 0;     // Of a series beyond kMaxSeriesOfRun.
  void Add(const PointCounts& more);
};

// The writer's side. Ids are remembered between calls, so a transaction that was rolled back must
// be followed by Forget.
class PointTable {
 public:
  static absl::StatusOr<PointTable> Open(Database* database);
  // Adds points and moves the run's progress on, inside the open transaction.
  absl::Status Add(const MetricRecords& metrics, PointCounts* counts);
  void Forget();

 private:
  struct Run {
    int64_t id = 0;
    std::set<int64_t> series;
  };
  explicit PointTable(Database* database) : database_(database) {}
  absl::StatusOr<Run*> FindRun(const std::string& run);
  absl::StatusOr<int64_t> FindSeries(const std::string& name);
  absl::Status AddPoint(Run* run, const MetricRecords& metrics, const v1::StepRecord& record,
                        const v1::Sample& sample, PointCounts* counts);
  absl::Status AdvanceProgress(const MetricRecords& metrics);

  Database* database_;
  Statement insert_point_;
  Statement find_point_;
  Statement find_progress_;
  Statement set_progress_;
  std::map<std::string, Run> runs_;
  std::map<std::string, int64_t> series_;
};

// The readers' side; see Store for what the first three promise.
absl::StatusOr<std::vector<std::string>> SeriesNamesOf(Database* database, const std::string& run);
absl::StatusOr<std::map<std::string, RunProgress>> ProgressOf(Database* database,
                                                              const std::vector<std::string>& runs);

// One page of a series: points after (`step`, `epoch`), both of which it moves on. Every row is
// checked against its own checksum (kDataLoss). An empty page is the end.
struct PointRow {
  uint64_t epoch = 0;
  v1::Point point;
};

// Appends the row's point if `lineage` counts it. Rows come in order of (step, epoch): with a
// lineage, a later attempt's point replaces an earlier one's at the same step.
void AppendOfLineage(const PointRow& row, const Lineage& lineage, v1::SeriesChunk* chunk);

struct PagePosition {
  int64_t step = INT64_MIN;
  int64_t epoch = INT64_MIN;
};
absl::StatusOr<std::vector<PointRow>> ReadPage(Database* database, const std::string& run,
                                               const std::string& series, PagePosition* position);

}  // namespace ddl::coordinator
