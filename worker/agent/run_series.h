// Follows the spools of the runs whose rank 0 lives here and keeps their totals.
//
// Owned by the daemon's loop; nothing is remembered on disk, because the spools are: a new daemon
// reads them from their beginnings, those of the run's earlier attempts on this worker included.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/metric_families.h"
#include "worker/agent/attempt.h"
#include "worker/agent/host.h"
#include "worker/agent/run_totals.h"

namespace ddl::agent {

inline constexpr absl::Duration kSeriesLifetime = absl::Seconds(90);  // After the attempt's end.

class RunSeries {
 public:
  // `epochs` lists the epochs of a run whose rank 0 has a spool here, rising.
  RunSeries(SpoolSource* spools, std::function<std::vector<uint64_t>(const std::string&)> epochs)
      : spools_(*spools), epochs_(std::move(epochs)) {}

  // Reads what the held attempts have spooled since the last call; drops runs whose attempt ended
  // kSeriesLifetime ago.
  void Follow(const HeldAttempts& held, absl::Time now);
  void Collect(MetricFamilies* families) const;

 private:
  struct Followed {
    uint64_t epoch = 0;
    uint64_t seq = 0;  // Last event of `epoch` that is in `totals`.
    RunTotals totals;
    absl::Time ended = absl::InfiniteFuture();
  };
  void Read(const std::string& run, Followed* followed);
  void Apply(const std::string& run, const v1::RankEvent& event, Followed* followed);
  RunTotals Lineage(const std::string& run, uint64_t epoch, int64_t resumed_step);
  void ReadWhole(const RankKey& rank, const std::function<bool(const v1::RankEvent&)>& take);

  SpoolSource& spools_;
  std::function<std::vector<uint64_t>(const std::string&)> epochs_;
  std::map<std::string, Followed> runs_;
  absl::Time now_ = absl::InfinitePast();  // Of the last Follow.
  HistogramCounts snapshots_;
  HistogramCounts writes_;
  std::map<std::vector<std::string>, double> failures_;  // By phase and reason.
};

}  // namespace ddl::agent
