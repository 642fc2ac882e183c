// Facts about single ranks: what inventories and spools say of them.
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/attempt_stop.h"

namespace ddl::coordinator {
namespace {

constexpr int kNoticesKept = 32;

struct Place {
  v1::RunRecord* run = nullptr;
  v1::AttemptRecord* attempt = nullptr;
  v1::RankRecord* rank = nullptr;
};

template <typename Fact>
absl::StatusOr<Place> FindRank(Change& change, const Fact& fact) {
  absl::StatusOr<v1::RunRecord*> run = RunOfEpoch(change, fact.run(), fact.epoch());
  if (!run.ok()) return run.status();
  v1::AttemptRecord* attempt = MutableAttempt(*run, fact.epoch());
  if (fact.rank() >= static_cast<uint32_t>(attempt->ranks_size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "run ", fact.run(), " has ", attempt->ranks_size(), " ranks, no rank ", fact.rank()));
  }
  return Place{*run, attempt, attempt->mutable_ranks(static_cast<int>(fact.rank()))};
}

template <typename Fact>
absl::Status OutOfOrder(const Fact& fact, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("rank ", fact.rank(), " of run ", fact.run(),
                                                    " epoch ", fact.epoch(), " ", what));
}

void AddNotice(v1::RunRecord* run, const std::string& severity, const std::string& message) {
  if (run->notices_size() == kNoticesKept) run->mutable_notices()->erase(run->notices().begin());
  v1::RunNotice* notice = run->add_notices();
  notice->set_severity(severity);
  notice->set_message(message);
}

void ApplyStarted(Change& change, const Place& at, const v1::RankStarted& started) {
  at.rank->set_started(true);
  if (at.rank->rank() == 0) *at.attempt->mutable_rank_zero() = started;
  MarkRunning(change, at.run, at.attempt);
}

void ApplyExited(Change& change, const Place& at, const v1::RankExited& exited) {
  at.rank->set_exit_recorded(true);
  if (at.rank->state() == v1::RANK_STATE_EXITED) at.rank->set_settled(true);
  if (at.rank->rank() == 0) at.attempt->set_last_step(exited.step());
  if (exited.class_() == v1::EXIT_CLASS_SUCCESS) {
    MarkRunning(change, at.run, at.attempt);
    return;
  }
  const v1::ExitClass exit_class = exited.class_() == v1::EXIT_CLASS_UNSPECIFIED
                                       ? v1::EXIT_CLASS_INFRASTRUCTURE
                                       : exited.class_();
  NoteFailure(change, at.attempt,
              {exit_class, exited.exit_code(), exited.message(), at.rank->worker()});
}

void ApplyRejected(Change& change, const Place& at, const v1::CheckpointRejected& rejected) {
  for (v1::CheckpointRecord& checkpoint : *at.run->mutable_checkpoints()) {
    if (checkpoint.folder() != rejected.folder() ||
        checkpoint.state() != v1::CHECKPOINT_STATE_COMMITTED) {
      continue;
    }
    MoveCheckpoint(change, &checkpoint, v1::CHECKPOINT_STATE_CORRUPT);
  }
  AddNotice(at.run, "error",
            absl::StrCat("checkpoint of step ", rejected.step(), " (", rejected.folder(),
                         ") was refused: ", rejected.message()));
}

}  // namespace

absl::Status ApplyFact(Change& change, const v1::RankObserved& fact) {
  absl::StatusOr<Place> at = FindRank(change, fact);
  if (!at.ok()) return at.status();
  if (!IsLive(at->attempt->state()) || fact.state() <= at->rank->state()) {
    return OutOfOrder(fact, absl::StrCat("cannot be seen ", v1::RankState_Name(fact.state())));
  }
  switch (fact.state()) {
    case v1::RANK_STATE_LAUNCHING:
      if (at->attempt->state() == v1::ATTEMPT_STATE_ALLOCATED) {
        MoveAttempt(change, at->attempt, v1::ATTEMPT_STATE_LAUNCHING);
      }
      at->rank->set_state(fact.state());
      break;
    case v1::RANK_STATE_RUNNING:
      MarkRunning(change, at->run, at->attempt);
      at->rank->set_state(fact.state());
      break;
    default:
      ReleaseRank(change, *at->run, *at->attempt, at->rank);
      EndAttemptIfDone(change, at->run, at->attempt);
  }
  Touch(change, *at->run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RankSettled& fact) {
  absl::StatusOr<Place> at = FindRank(change, fact);
  if (!at.ok()) return at.status();
  if (!IsLive(at->attempt->state()) || at->rank->state() != v1::RANK_STATE_EXITED ||
      at->rank->settled()) {
    return OutOfOrder(fact, "cannot be settled");
  }
  at->rank->set_settled(true);
  NoteFailure(change, at->attempt,
              {v1::EXIT_CLASS_INFRASTRUCTURE, 0, fact.message(), at->rank->worker()});
  EndAttemptIfDone(change, at->run, at->attempt);
  Touch(change, *at->run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RankEventApplied& fact) {
  absl::StatusOr<Place> at = FindRank(change, fact);
  if (!at.ok()) return at.status();
  if (!IsLive(at->attempt->state())) return OutOfOrder(fact, "has ended");
  const v1::RankEvent& event = fact.event();
  switch (event.event_case()) {
    case v1::RankEvent::kStarted: ApplyStarted(change, *at, event.started()); break;
    case v1::RankEvent::kExited:
      if (at->rank->exit_recorded()) return OutOfOrder(fact, "has exited already");
      ApplyExited(change, *at, event.exited());
      break;
    case v1::RankEvent::kCheckpointRejected:
      ApplyRejected(change, *at, event.checkpoint_rejected());
      break;
    case v1::RankEvent::kCheckpointFailed:
      AddNotice(at->run, "warning",
                absl::StrCat("checkpoint of step ", event.checkpoint_failed().step(), " failed in ",
                             event.checkpoint_failed().phase(), ": ",
                             event.checkpoint_failed().message()));
      break;
    case v1::RankEvent::kNotice:
      AddNotice(at->run, event.notice().severity(), event.notice().message());
      break;
    case v1::RankEvent::kStep:
    case v1::RankEvent::kCheckpointPrepared:
    case v1::RankEvent::EVENT_NOT_SET:
      return absl::InvalidArgumentError("this event of a rank is no fact of the journal");
  }
  EndAttemptIfDone(change, at->run, at->attempt);
  Touch(change, *at->run);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
