// The page that Prometheus reads: gathered from the commit loop, the store and the counters of the
// service, each asked once, none held while another is asked.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/service/call_gate.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/store/sqlite_store.h"
#include "coordinator/web/milestones.h"
#include "coordinator/web/objectives.h"

namespace ddl::coordinator {

class Scrape {
 public:
  // All outlive this.
  Scrape(CommitLoop* loop, SqliteStore* store, CallGate* gate)
      : loop_(*loop), store_(*store), gate_(*gate), milestones_(store), objectives_(store) {}

  absl::StatusOr<std::vector<prometheus::MetricFamily>> Families(absl::Time now,
                                                                 absl::Time deadline);

 private:
  struct Visible;
  absl::StatusOr<Visible> Look(absl::Time now, absl::Time deadline);
  absl::Status AddProgress(Visible* visible, absl::Time deadline);
  void AddPoints(uint64_t dropped_samples, MetricFamilies* families) const;

  CommitLoop& loop_;
  SqliteStore& store_;
  CallGate& gate_;
  Milestones milestones_;
  Objectives objectives_;
};

}  // namespace ddl::coordinator
