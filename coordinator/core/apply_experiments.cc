// Facts about experiments, and what people ask of their runs.
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/attempt_stop.h"
#include "coordinator/core/verbs.h"

namespace ddl::coordinator {
namespace {

absl::Status NoSuchRun(const std::string& id) {
  return absl::NotFoundError(absl::StrCat("no run ", Quoted(id)));
}

absl::Status NoArrow(absl::string_view verb, const v1::RunRecord& run) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", verb, " run ", run.id(), ": it is ", Word(run.state())));
}

}  // namespace

absl::Status ApplyFact(Change& change, const v1::ExperimentSubmitted& fact) {
  if (!IsId(fact.id())) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(fact.id()), " is not an id"));
  }
  if (change.state.experiments.count(fact.id()) > 0) {
    return absl::AlreadyExistsError(absl::StrCat("experiment ", fact.id(), " exists"));
  }
  if (fact.trials() == 0) return absl::InvalidArgumentError("trials must be at least 1, got 0");
  v1::ExperimentRecord record;
  record.set_id(fact.id());
  record.set_name(fact.name());
  record.set_kind(fact.kind());
  record.set_state(v1::EXPERIMENT_STATE_SUBMITTED);
  record.set_user(change.event.principal());
  *record.mutable_submitted() = change.event.time();
  record.set_trials(fact.trials());
  if (fact.has_sweep()) *record.mutable_sweep() = fact.sweep();
  record.set_expansion(v1::EXPANSION_GOES_ON);
  record.set_order(++change.state.last_order);
  change.state.live_experiments.insert(fact.id());
  change.effects.changed_experiments.push_back(fact.id());
  change.state.experiments[fact.id()] = std::move(record);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RunCreated& fact) {
  const auto found = change.state.experiments.find(fact.experiment_id());
  if (found == change.state.experiments.end()) {
    return absl::NotFoundError(absl::StrCat("no experiment ", Quoted(fact.experiment_id())));
  }
  v1::ExperimentRecord& experiment = found->second;
  if (!IsId(fact.id()) || change.state.runs.count(fact.id()) > 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(Quoted(fact.id()), " is not an id, or a run of it exists"));
  }
  if (fact.trial() != experiment.created() || fact.trial() >= experiment.trials() ||
      experiment.expansion() != v1::EXPANSION_GOES_ON) {
    return absl::FailedPreconditionError(
        absl::StrCat("experiment ", experiment.id(), " cannot have trial ", fact.trial(), ": ",
                     experiment.created(), " of ", experiment.trials(), " exist"));
  }
  v1::RunRecord run;
  run.set_id(fact.id());
  run.set_name(fact.spec().name());
  run.set_experiment_id(fact.experiment_id());
  run.set_trial(fact.trial());
  run.set_state(v1::RUN_STATE_QUEUED);
  *run.mutable_spec() = fact.spec();
  run.set_residual(fact.residual());
  run.set_arm(fact.arm());
  run.set_user(experiment.user());
  *run.mutable_submitted() = experiment.submitted();
  run.set_order(++change.state.last_order);
  experiment.set_created(fact.trial() + 1);
  ++(*experiment.mutable_runs_by_state())[static_cast<uint32_t>(v1::RUN_STATE_QUEUED)];
  Touch(change, change.state.runs[fact.id()] = std::move(run));
  DeriveExperiment(change, &experiment);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::ExperimentHalted& fact) {
  const auto found = change.state.experiments.find(fact.id());
  if (found == change.state.experiments.end()) {
    return absl::NotFoundError(absl::StrCat("no experiment ", Quoted(fact.id())));
  }
  v1::ExperimentRecord& experiment = found->second;
  if (HasEnded(experiment.state()) || experiment.expansion() == v1::EXPANSION_CANCELED ||
      fact.expansion() == v1::EXPANSION_UNSPECIFIED) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the trials of experiment ", fact.id(), " are settled: it is ", Word(experiment.state())));
  }
  experiment.set_expansion(fact.expansion());
  DeriveExperiment(change, &experiment);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RunCanceled& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  if (run == nullptr) return NoSuchRun(fact.run());
  if (!MayCancel(*run)) return NoArrow("cancel", *run);
  run->set_pause_requested(false);
  MoveRun(change, run, v1::RUN_STATE_CANCELED);
  if (v1::AttemptRecord* attempt = MutableAttempt(run, run->epoch());
      attempt != nullptr && IsLive(attempt->state())) {
    StopAttempt(change, attempt, v1::STOP_KILL);
  }
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RunPauseRequested& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  if (run == nullptr) return NoSuchRun(fact.run());
  if (!MayPause(*run)) return NoArrow("pause", *run);
  if (run->state() == v1::RUN_STATE_PLACED || run->state() == v1::RUN_STATE_RUNNING) {
    v1::AttemptRecord* attempt = MutableAttempt(run, run->epoch());
    DDL_CHECK(attempt != nullptr && IsLive(attempt->state()));
    run->set_pause_requested(true);
    MoveRun(change, run, v1::RUN_STATE_PREEMPTING);
    StopAttempt(change, attempt, v1::STOP_DRAIN);
  } else if (run->state() == v1::RUN_STATE_PREEMPTING) {
    run->set_pause_requested(true);
  } else {
    MoveRun(change, run, v1::RUN_STATE_PAUSED);
  }
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RunResumed& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  if (run == nullptr) return NoSuchRun(fact.run());
  if (!MayResume(*run)) return NoArrow("resume", *run);
  if (run->state() == v1::RUN_STATE_PAUSED) MoveRun(change, run, v1::RUN_STATE_QUEUED);
  run->set_pause_requested(false);
  run->set_failures_in_a_row(0);
  run->clear_reason();
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RunBackoffEnded& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  if (run == nullptr) return NoSuchRun(fact.run());
  if (run->state() != v1::RUN_STATE_BACKOFF) return NoArrow("requeue", *run);
  MoveRun(change, run, v1::RUN_STATE_QUEUED);
  run->clear_not_before();
  Touch(change, *run);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
