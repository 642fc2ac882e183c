// The one thread that owns the Sequencer. Calls reach it as closures through a bounded queue; it
// takes all that wait, runs those that change something, makes them durable with one flush, answers
// them, and then runs those that only read. So every answer, of a change or of a read, is made from
// durable state.
//
// A flush that fails for another reason than a full disk aborts the process: what is durable is
// then unknown, and a restart finds out.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/metric_families.h"
#include "common/mutex.h"
#include "coordinator/core/sequencer.h"
#include "coordinator/service/change_feed.h"
#include "coordinator/service/transition_log.h"

namespace ddl::coordinator {

struct CommitLoopSettings {
  size_t queue = 4096;  // Calls that wait; more are refused as kUnavailable.
  absl::Duration tick = absl::Milliseconds(500);
};

class CommitLoop {
 public:
  // Replays the journal of `store` and opens a term, durable when this returns. `store` outlives
  // the loop.
  static absl::StatusOr<std::unique_ptr<CommitLoop>> Start(Store* store,
                                                           const SequencerSettings& sequencer,
                                                           const CommitLoopSettings& settings = {});
  // Finishes the calls that wait, flushes and ends the thread.
  ~CommitLoop();

  // Both block the caller until its closure has run, and for a change until it is durable.
  // kDeadlineExceeded: the closure may still run later, so it owns all that it uses. kUnavailable:
  // the queue is full or the loop ends.
  template <typename Response>
  absl::StatusOr<Response> Change(
      const std::string& principal, absl::Time deadline,
      std::function<absl::StatusOr<Response>(Sequencer&, const Caller&)> change);
  template <typename Response>
  absl::StatusOr<Response> Read(absl::Time deadline,
                                std::function<absl::StatusOr<Response>(const Sequencer&)> read);

  ChangeFeed& feed() { return feed_; }
  // Whether the last flush succeeded: false while the disk is full.
  bool healthy() const;
  // Durations of the sequencer's ticks since the start, in seconds: liveness, placement and all
  // else that the core decides by itself. In the buckets of ddl_scheduler_cycle_duration_seconds.
  HistogramCounts cycles() const;

 private:
  struct Answer {
    Mutex mutex;
    std::condition_variable_any ready;
    std::optional<absl::Status> status ABSL_GUARDED_BY(mutex);
    void Give(absl::Status given);
  };
  struct Call {
    bool changes = false;
    std::string principal;
    std::function<void(Sequencer&, const Caller&)> run;
    std::shared_ptr<Answer> answer;
  };

  CommitLoop(Sequencer sequencer, const CommitLoopSettings& settings)
      : settings_(settings), sequencer_(std::move(sequencer)) {}
  absl::Status Execute(Call call, absl::Time deadline);
  void Loop();
  std::vector<Call> TakeCalls(absl::Duration longest);
  void Serve(const std::vector<Call>& calls, bool tick);
  void Tick();
  absl::Status Flush();

  const CommitLoopSettings settings_;
  Sequencer sequencer_;  // Only the thread touches it.
  ChangeFeed feed_;
  TransitionLog transitions_;  // Only the thread touches it.
  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Call> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool healthy_ ABSL_GUARDED_BY(mutex_) = true;
  HistogramCounts cycles_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

template <typename Response>
absl::StatusOr<Response> CommitLoop::Change(
    const std::string& principal, absl::Time deadline,
    std::function<absl::StatusOr<Response>(Sequencer&, const Caller&)> change) {
  auto result = std::make_shared<std::optional<absl::StatusOr<Response>>>();
  Call call{.changes = true, .principal = principal};
  call.run = [result, change = std::move(change)](Sequencer& sequencer, const Caller& caller) {
    result->emplace(change(sequencer, caller));
  };
  const absl::Status executed = Execute(std::move(call), deadline);
  if (!executed.ok()) return executed;
  return **std::move(result);
}

template <typename Response>
absl::StatusOr<Response> CommitLoop::Read(
    absl::Time deadline, std::function<absl::StatusOr<Response>(const Sequencer&)> read) {
  auto result = std::make_shared<std::optional<absl::StatusOr<Response>>>();
  Call call;
  call.run = [result, read = std::move(read)](Sequencer& sequencer, const Caller&) {
    result->emplace(read(sequencer));
  };
  const absl::Status executed = Execute(std::move(call), deadline);
  if (!executed.ok()) return executed;
  return **std::move(result);
}

}  // namespace ddl::coordinator
