// Recorded series as clients read them: words for runs and names checked first, then the points of
// the run's lineage from the store, without holding up the commit loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/comparison.h"
#include "coordinator/core/store.h"
#include "coordinator/service/commit_loop.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::coordinator {

class SeriesReader {
 public:
  // Both outlive this.
  SeriesReader(CommitLoop* loop, Store* store) : loop_(*loop), store_(*store) {}

  // Calls `take` with chunks, series after series; its false ends the read. kNotFound for a run or
  // a name that is not there, with the nearest name.
  absl::Status Read(const v1::GetSeriesRequest& request, absl::Time deadline,
                    const std::function<bool(const v1::SeriesChunk&)>& take);
  absl::StatusOr<std::vector<std::string>> Names(const std::string& run, absl::Time deadline);
  // The selected runs with the points of `metric`. kResourceExhausted beyond 1,000 runs.
  absl::StatusOr<std::vector<ComparedRun>> Compared(const v1::RunSelector& selector,
                                                    const std::string& metric, absl::Time deadline);

 private:
  struct Lineages {
    std::string run;
    Lineage lineage;
  };
  absl::StatusOr<Lineages> Find(const std::string& word, absl::Time deadline);

  CommitLoop& loop_;
  Store& store_;
};

}  // namespace ddl::coordinator
