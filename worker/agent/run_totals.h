// The metrics of one run, computed from the records of its rank 0: pure.
//
// Counters are the run's over its whole lineage, so that they go on over attempts and daemon
// restarts and end at the run store's values. Summed series (phases, gate buckets) add up in the
// order of the records, as a reader of the run store would add them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/metric_families.h"
#include "proto/ddl/v1/events.pb.h"

namespace ddl::agent {

class RunTotals {
 public:
  // Counters stand at 0, so that the first increase is seen.
  RunTotals();

  void Apply(const v1::RankEvent& event);
  // From now on no counter is reported below what `earlier` reports: a new attempt repeats steps
  // behind its checkpoint, and a counter must not fall meanwhile.
  void NeverBelow(const RunTotals& earlier);

  void Collect(const std::string& run, MetricFamilies* families) const;
  // Time of the last event; InfinitePast before the first.
  absl::Time last_event() const { return last_event_; }

 private:
  // Family and the values of its labels after `run`.
  using Key = std::pair<std::string, std::vector<std::string>>;
  using BetaCounts = std::map<std::string, std::vector<double>>;  // Cumulative, by sublayer.

  void ApplyStep(const v1::StepRecord& record, double time_seconds);
  void ApplySample(const v1::Sample& sample, BetaCounts* betas);
  void ApplyBetas(const std::string& sublayer, const std::vector<double>& cumulative);
  double Reported(const Key& key, double value) const;

  std::map<Key, double> counters_;
  std::map<Key, double> gauges_;
  std::map<Key, HistogramCounts> histograms_;
  std::map<Key, double> floors_;
  absl::Time last_event_ = absl::InfinitePast();
};

}  // namespace ddl::agent
