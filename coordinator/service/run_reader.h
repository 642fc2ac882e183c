// Runs as clients see them: the loop's state joined with the run store's latest values.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/core/store.h"
#include "coordinator/service/commit_loop.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

class RunReader {
 public:
  // Both outlive this.
  RunReader(CommitLoop* loop, Store* store) : loop_(*loop), store_(*store) {}

  // In the order of `runs`; an id that is not there is left out.
  absl::StatusOr<std::vector<v1::Run>> Views(const std::vector<std::string>& runs,
                                             absl::Time deadline);
  // By id, unique prefix, name or @last.
  absl::StatusOr<v1::RunDetail> Detail(const std::string& word, absl::Time deadline);
  // One page of the selected runs, newest first. `next` is empty after the last page.
  struct Page {
    std::vector<v1::Run> runs;
    std::string next;
  };
  absl::StatusOr<Page> List(const v1::ListRunsRequest& request, absl::Time deadline);

 private:
  CommitLoop& loop_;
  Store& store_;
};

}  // namespace ddl::coordinator
