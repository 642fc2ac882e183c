#include "coordinator/service/commit_loop.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "absl/time/clock.h"
#include "common/logging.h"
#include "common/metric_table.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

absl::Duration Uptime() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return absl::DurationFromTimespec(time);
}

Caller CallerOf(const std::string& principal) {
  return {principal, absl::Now(), Uptime(), RandomBits()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommitLoop>> CommitLoop::Start(Store* store,
                                                              const SequencerSettings& sequencer,
                                                              const CommitLoopSettings& settings) {
  DDL_ASSIGN_OR_RETURN(Sequencer recovered, Sequencer::Recover(store, sequencer, CallerOf("")));
  DDL_RETURN_IF_ERROR(recovered.Flush());
  recovered.TakeChanges();
  std::unique_ptr<CommitLoop> loop(new CommitLoop(std::move(recovered), settings));
  loop->feed_.Begin(loop->sequencer_.committed_version());
  loop->thread_ = std::thread([raw = loop.get()] { raw->Loop(); });
  return loop;
}

CommitLoop::~CommitLoop() {
  feed_.Close();
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void CommitLoop::Answer::Give(absl::Status given) {
  MutexLock lock(&mutex);
  status = std::move(given);
  ready.notify_one();
}

bool CommitLoop::healthy() const {
  MutexLock lock(&mutex_);
  return healthy_;
}

absl::Status CommitLoop::Execute(Call call, absl::Time deadline) {
  auto answer = std::make_shared<Answer>();
  call.answer = answer;
  {
    MutexLock lock(&mutex_);
    if (stopping_) return absl::UnavailableError("the coordinator is ending");
    if (queue_.size() >= settings_.queue) {
      return absl::UnavailableError(
          absl::StrCat("the coordinator is busy: ", queue_.size(), " calls wait"));
    }
    queue_.push_back(std::move(call));
    wake_.notify_one();
  }
  MutexLock lock(&answer->mutex);
  while (!answer->status.has_value()) {
    if (answer->ready.wait_until(answer->mutex, absl::ToChronoTime(deadline)) ==
            std::cv_status::timeout &&
        !answer->status.has_value()) {
      return absl::DeadlineExceededError("no answer before the deadline of the call");
    }
  }
  return *answer->status;
}

HistogramCounts CommitLoop::cycles() const {
  MutexLock lock(&mutex_);
  return cycles_;
}

std::vector<CommitLoop::Call> CommitLoop::TakeCalls(absl::Duration longest) {
  const auto wait = absl::ToChronoNanoseconds(std::max(longest, absl::ZeroDuration()));
  MutexLock lock(&mutex_);
  while (queue_.empty() && !stopping_) {
    if (wake_.wait_for(mutex_, wait) == std::cv_status::timeout) break;
  }
  std::vector<Call> calls(std::make_move_iterator(queue_.begin()),
                          std::make_move_iterator(queue_.end()));
  queue_.clear();
  return calls;
}

void CommitLoop::Loop() {
  absl::Duration next_tick = Uptime();
  for (;;) {
    std::vector<Call> calls = TakeCalls(next_tick - Uptime());
    const bool tick = Uptime() >= next_tick;
    if (tick) next_tick = Uptime() + settings_.tick;
    const bool nothing = calls.empty();
    Serve(calls, tick);
    MutexLock lock(&mutex_);
    if (stopping_ && nothing && queue_.empty()) return;
  }
}

void CommitLoop::Serve(const std::vector<Call>& calls, bool tick) {
  bool changes = tick;
  for (const Call& call : calls) {
    if (!call.changes) continue;
    call.run(sequencer_, CallerOf(call.principal));
    changes = true;
  }
  if (tick) Tick();
  const absl::Status flushed = changes ? Flush() : absl::OkStatus();
  for (const Call& call : calls) {
    if (call.changes) call.answer->Give(flushed);
  }
  for (const Call& call : calls) {
    if (call.changes) continue;
    call.run(sequencer_, Caller());
    call.answer->Give(absl::OkStatus());
  }
}

void CommitLoop::Tick() {
  const Caller caller = CallerOf("");
  sequencer_.Tick(caller);
  const double seconds = absl::ToDoubleSeconds(Uptime() - caller.uptime);
  MutexLock lock(&mutex_);
  cycles_.Observe(HistogramBounds("ddl_scheduler_cycle_duration_seconds"), seconds);
}

absl::Status CommitLoop::Flush() {
  absl::Status flushed = sequencer_.Flush();
  if (!flushed.ok() && !absl::IsResourceExhausted(flushed)) {
    DDL_LOG(Error) << "the journal cannot be written: " << flushed;
    std::abort();
  }
  {
    MutexLock lock(&mutex_);
    if (healthy_ != flushed.ok()) {
      DDL_LOG(Warning) << (flushed.ok() ? "the journal can be written again"
                                        : "the journal cannot be written: " + flushed.ToString());
    }
    healthy_ = flushed.ok();
  }
  if (!flushed.ok()) return flushed;
  const Effects effects = sequencer_.TakeChanges();
  transitions_.Note(sequencer_.core().state(), effects.changed_runs);
  if (effects.changed) feed_.Publish(sequencer_.committed_version(), effects.changed_runs);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
