// The worker's page for Prometheus: the latest state, published by the daemon's loop and read by
// the HTTP server's threads.
#pragma once

#include <prometheus/collectable.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/metric_families.h"
#include "common/mutex.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/agent.h"
#include "worker/agent/nvml.h"
#include "worker/agent/run_series.h"

namespace ddl::agent {

// What the daemon knows of itself and its host.
struct WorkerStatus {
  v1::HostUsage usage;
  std::vector<v1::Slot> slots;
  std::vector<Gpu> gpus;
  std::vector<GpuReading> readings;  // One for each GPU.
  absl::Time started;
  absl::Time last_contact = absl::InfinitePast();
  std::map<std::pair<std::string, std::string>, double> retries;  // By method and code.
  std::map<std::string, double> log_dropped_bytes;                // By run.
  HistogramCounts commits;  // Duration of CommitCheckpoint calls.
};

class WorkerMetrics : public prometheus::Collectable {
 public:
  // Replaces what Collect returns.
  void Publish(const WorkerStatus& status, const Agent& agent, const RunSeries& series)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<prometheus::MetricFamily> Collect() const override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<prometheus::MetricFamily> families_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::agent
