#include "coordinator/core/attempt_stop.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/check.h"
#include "coordinator/core/lineage.h"
#include "coordinator/core/times.h"

namespace ddl::coordinator {
namespace {

bool IsOver(const v1::RankRecord& rank) {
  return rank.state() == v1::RANK_STATE_EXITED && rank.settled();
}

bool IsUsersFault(v1::ExitClass exit_class) {
  return exit_class == v1::EXIT_CLASS_USER || exit_class == v1::EXIT_CLASS_OUT_OF_MEMORY;
}

v1::AttemptState EndOf(const v1::AttemptRecord& attempt) {
  if (attempt.worker_lost()) return v1::ATTEMPT_STATE_LOST;
  if (attempt.exit_class() == v1::EXIT_CLASS_SUCCESS) return v1::ATTEMPT_STATE_EXITED;
  if (attempt.exit_class() == v1::EXIT_CLASS_PREEMPTED) return v1::ATTEMPT_STATE_PREEMPTED;
  return v1::ATTEMPT_STATE_FAILED;
}

// Checkpoints exist and none is good: starting from the initial weights would be silent.
bool LostAllCheckpoints(const v1::RunRecord& run) {
  return !run.checkpoints().empty() && Restorable(run).empty();
}

void FailRun(Change& change, v1::RunRecord* run, std::string reason) {
  run->set_reason(std::move(reason));
  MoveRun(change, run, v1::RUN_STATE_FAILED);
}

void RequeueRun(Change& change, v1::RunRecord* run) {
  if (run->state() != v1::RUN_STATE_PREEMPTING) MoveRun(change, run, v1::RUN_STATE_PREEMPTING);
  MoveRun(change, run, run->pause_requested() ? v1::RUN_STATE_PAUSED : v1::RUN_STATE_QUEUED);
  run->set_pause_requested(false);
}

// The delay before the next try: none after the first infrastructure failure since the run last
// made progress, so that a killed rank is back within seconds.
absl::Duration Backoff(const v1::RunRecord& run, bool users_fault, const CoreSettings& settings) {
  const uint32_t failures = run.failures_in_a_row() - (users_fault ? 0 : 1);
  if (failures == 0) return absl::ZeroDuration();
  const uint32_t doublings = std::min<uint32_t>(failures - 1, 30);
  return std::min(settings.longest_backoff, settings.first_backoff * (int64_t{1} << doublings));
}

void FailedAttempt(Change& change, v1::RunRecord* run, const v1::AttemptRecord& attempt) {
  const bool users_fault = IsUsersFault(attempt.exit_class());
  const uint32_t failures =
      users_fault ? run->user_failures() + 1 : run->infrastructure_failures() + 1;
  const v1::ResourceSpec& resources = run->spec().resources();
  const uint32_t budget =
      users_fault ? resources.max_restarts() : resources.max_infrastructure_restarts();
  run->set_failures_in_a_row(run->failures_in_a_row() + 1);
  if (users_fault) {
    run->set_user_failures(failures);
  } else {
    run->set_infrastructure_failures(failures);
    if (!attempt.failed_worker().empty()) {
      ++(*run->mutable_failures_by_worker())[attempt.failed_worker()];
    }
  }
  if (attempt.exit_class() == v1::EXIT_CLASS_CHECKPOINT || LostAllCheckpoints(*run)) {
    FailRun(change, run, absl::StrCat("checkpoint: none is good: ", attempt.message()));
  } else if (failures > budget) {
    FailRun(change, run,
            absl::StrCat(Word(attempt.exit_class()), ": ", attempt.message(), " (failure ",
                         failures, " of its class; restarts allowed: ", budget, ")"));
  } else if (run->pause_requested()) {
    RequeueRun(change, run);
  } else {
    const absl::Duration delay = Backoff(*run, users_fault, change.settings);
    run->set_reason(absl::StrCat("restart ", failures, " of ", budget, " after ",
                                 Word(attempt.exit_class()), ": ", attempt.message()));
    SetTime(ToTime(change.event.time()) + delay, run->mutable_not_before());
    MoveRun(change, run, v1::RUN_STATE_BACKOFF);
  }
}

void EndAttempt(Change& change, v1::RunRecord* run, v1::AttemptRecord* attempt) {
  if (attempt->exit_class() == v1::EXIT_CLASS_UNSPECIFIED) {
    attempt->set_exit_class(v1::EXIT_CLASS_SUCCESS);
  }
  MoveAttempt(change, attempt, EndOf(*attempt));
  // Its processes may live on beyond our sight: nothing that they write counts any more.
  if (attempt->worker_lost()) run->set_epoch(run->epoch() + 1);
  if (HasEnded(run->state())) return;
  if (attempt->exit_class() == v1::EXIT_CLASS_SUCCESS) {
    MoveRun(change, run, v1::RUN_STATE_SUCCEEDED);
    run->set_pause_requested(false);
    run->clear_reason();
  } else if (attempt->exit_class() == v1::EXIT_CLASS_PREEMPTED && !LostAllCheckpoints(*run)) {
    RequeueRun(change, run);
  } else {
    FailedAttempt(change, run, *attempt);
  }
}

}  // namespace

void StopAttempt(Change& change, v1::AttemptRecord* attempt, v1::Stop stop) {
  if (stop <= attempt->stop()) return;
  attempt->set_stop(stop);
  if (attempt->state() != v1::ATTEMPT_STATE_DRAINING) {
    MoveAttempt(change, attempt, v1::ATTEMPT_STATE_DRAINING);
  }
}

void NoteFailure(Change& change, v1::AttemptRecord* attempt, const Failure& failure) {
  v1::ExitClass exit_class = failure.exit_class;
  // Ranks that we stopped die by our signals, which is nobody's failure.
  if (attempt->stop() != v1::STOP_NONE && !failure.worker_lost &&
      exit_class == v1::EXIT_CLASS_INFRASTRUCTURE) {
    exit_class = v1::EXIT_CLASS_PREEMPTED;
  }
  if (attempt->exit_class() == v1::EXIT_CLASS_UNSPECIFIED ||
      (attempt->exit_class() == v1::EXIT_CLASS_PREEMPTED &&
       exit_class != v1::EXIT_CLASS_PREEMPTED)) {
    attempt->set_exit_class(exit_class);
    attempt->set_exit_code(failure.exit_code);
    attempt->set_message(failure.message);
    attempt->set_failed_worker(failure.worker);
  }
  if (failure.worker_lost) attempt->set_worker_lost(true);
  const bool siblings = std::any_of(attempt->ranks().begin(), attempt->ranks().end(),
                                    [](const auto& rank) { return !IsOver(rank); });
  const bool preempted = exit_class == v1::EXIT_CLASS_PREEMPTED;
  if (siblings || preempted) {
    StopAttempt(change, attempt, preempted ? v1::STOP_DRAIN : v1::STOP_KILL);
  }
}

void ReleaseRank(Change& change, const v1::RunRecord& run, const v1::AttemptRecord& attempt,
                 v1::RankRecord* rank) {
  rank->set_state(v1::RANK_STATE_EXITED);
  if (rank->exit_recorded()) rank->set_settled(true);
  v1::WorkerRecord* worker = MutableWorker(change, rank->worker());
  DDL_CHECK(worker != nullptr);
  for (v1::SlotRecord& slot : *worker->mutable_slots()) {
    if (slot.run() != run.id() || slot.epoch() != attempt.epoch() || slot.rank() != rank->rank()) {
      continue;
    }
    slot.clear_run();
    slot.clear_epoch();
    slot.clear_rank();
  }
}

void EndAttemptIfDone(Change& change, v1::RunRecord* run, v1::AttemptRecord* attempt) {
  if (!IsLive(attempt->state())) return;
  if (std::all_of(attempt->ranks().begin(), attempt->ranks().end(), IsOver)) {
    EndAttempt(change, run, attempt);
  }
}

void LoseRanksOn(Change& change, const std::string& worker, const std::string& reason) {
  const std::set<std::string> live = change.state.live_runs;
  for (const std::string& id : live) {
    v1::RunRecord* run = MutableRun(change, id);
    v1::AttemptRecord* attempt = MutableAttempt(run, run->epoch());
    if (attempt == nullptr || !IsLive(attempt->state())) continue;
    bool lost = false;
    bool failed = false;
    for (v1::RankRecord& rank : *attempt->mutable_ranks()) {
      if (rank.worker() != worker || IsOver(rank)) continue;
      lost = true;
      failed = failed || !rank.exit_recorded();
      rank.set_state(v1::RANK_STATE_EXITED);
      rank.set_settled(true);
    }
    if (!lost) continue;
    if (failed) {
      NoteFailure(change, attempt,
                  {v1::EXIT_CLASS_INFRASTRUCTURE, 0, reason, worker, /*worker_lost=*/true});
    }
    EndAttemptIfDone(change, run, attempt);
    Touch(change, *run);
  }
}

void MarkRunning(Change& change, v1::RunRecord* run, v1::AttemptRecord* attempt) {
  if (attempt->state() == v1::ATTEMPT_STATE_ALLOCATED) {
    MoveAttempt(change, attempt, v1::ATTEMPT_STATE_LAUNCHING);
  }
  if (attempt->state() == v1::ATTEMPT_STATE_LAUNCHING) {
    MoveAttempt(change, attempt, v1::ATTEMPT_STATE_RUNNING);
  }
  if (run->state() == v1::RUN_STATE_PLACED) MoveRun(change, run, v1::RUN_STATE_RUNNING);
}

}  // namespace ddl::coordinator
