// WatchExperiments: the present state of each selected run, then what changes, until all ended.
#pragma once

#include <atomic>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/run_reader.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

inline constexpr int kMaxWatchers = 64;  // Each holds one of the server's threads.

// One of `limit` places for streams of one kind, given back at the end of its scope.
class StreamPlace {
 public:
  StreamPlace(std::atomic<int>* taken, int limit);
  ~StreamPlace();
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;
  bool granted() const { return granted_; }

 private:
  std::atomic<int>& taken_;
  const bool granted_;
};

// Sends updates until every selected run has ended (OK), `send` returns false (kCancelled), the
// deadline comes (kDeadlineExceeded) or the coordinator ends (kUnavailable: resume with the last
// version). With `after_version`, runs that have not changed since are left out at first. An update
// that differs by step and losses alone carries the version of the one before it, and comes at most
// once a second. `stop` is asked each time the wait is over.
absl::Status Watch(const v1::WatchExperimentsRequest& request, absl::Time deadline,
                   CommitLoop* loop, RunReader* runs,
                   const std::function<bool(const v1::RunUpdate&)>& send,
                   const std::function<bool()>& stop);

}  // namespace ddl::coordinator
