#include "coordinator/core/views.h"

#include <limits>

#include "coordinator/core/times.h"

namespace ddl::coordinator {

v1::Run RunView(const v1::RunRecord& run, const RunProgress* progress) {
  v1::Run view;
  view.set_id(run.id());
  view.set_name(run.name());
  view.set_state(Word(run.state()));
  view.set_seed(run.spec().seed());
  view.set_residual(run.residual());
  view.set_attempts(static_cast<uint32_t>(run.attempts_size()));
  view.set_target_tokens(static_cast<int64_t>(run.spec().train().tokens()));
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  view.set_step(progress == nullptr ? 0 : progress->step);
  view.set_tokens(progress == nullptr ? 0 : progress->tokens);
  view.set_active_seconds(progress == nullptr ? 0 : progress->active_seconds);
  view.set_train_loss(progress == nullptr ? kNone : progress->train_loss);
  view.set_val_loss(progress == nullptr ? kNone : progress->val_loss);
  view.set_best_val_loss(progress == nullptr ? kNone : progress->best_val_loss);
  view.set_experiment_id(run.experiment_id());
  view.set_experiment(run.spec().experiment());
  view.set_user(run.user());
  *view.mutable_submitted() = run.submitted();
  if (run.has_started()) *view.mutable_started() = run.started();
  if (run.has_ended()) *view.mutable_ended() = run.ended();
  view.set_reason(run.reason());
  view.set_arm(run.arm());
  view.set_ranks(run.spec().parallel().ranks());
  *view.mutable_tags() = run.spec().tags();
  view.set_priority(run.spec().resources().priority());
  return view;
}

v1::Experiment ExperimentView(const v1::ExperimentRecord& experiment) {
  v1::Experiment view;
  view.set_id(experiment.id());
  view.set_name(experiment.name());
  view.set_kind(experiment.kind());
  view.set_state(Word(experiment.state()));
  view.set_user(experiment.user());
  *view.mutable_submitted() = experiment.submitted();
  view.set_trials(experiment.trials());
  for (const auto& [state, count] : experiment.runs_by_state()) {
    (*view.mutable_trials_by_state())[Word(static_cast<v1::RunState>(state))] = count;
  }
  if (experiment.has_sweep()) *view.mutable_sweep() = experiment.sweep();
  return view;
}

v1::Attempt AttemptView(const v1::AttemptRecord& attempt) {
  v1::Attempt view;
  view.set_attempt(attempt.attempt());
  view.set_epoch(attempt.epoch());
  view.set_state(Word(attempt.state()));
  for (const v1::RankRecord& rank : attempt.ranks()) {
    const int count = view.workers_size();
    if (count == 0 || view.workers(count - 1) != rank.worker()) view.add_workers(rank.worker());
  }
  *view.mutable_placed() = attempt.placed();
  if (attempt.has_started()) *view.mutable_started() = attempt.started();
  if (attempt.has_ended()) *view.mutable_ended() = attempt.ended();
  if (attempt.exit_class() != v1::EXIT_CLASS_UNSPECIFIED) {
    view.set_exit_class(Word(attempt.exit_class()));
  }
  view.set_exit_code(attempt.exit_code());
  view.set_message(attempt.message());
  view.set_resumed_step(attempt.rank_zero().resumed_step());
  view.set_last_step(attempt.last_step());
  if (attempt.has_rank_zero()) *view.mutable_rank_zero() = attempt.rank_zero();
  return view;
}

v1::Checkpoint CheckpointView(const v1::CheckpointRecord& checkpoint) {
  v1::Checkpoint view;
  view.set_step(checkpoint.step());
  view.set_tokens(checkpoint.tokens());
  view.set_state(Word(checkpoint.state()));
  view.set_folder(checkpoint.folder());
  view.set_manifest_sha256(checkpoint.manifest_sha256());
  view.set_epoch(checkpoint.epoch());
  view.set_bytes(checkpoint.bytes());
  *view.mutable_committed() = checkpoint.committed();
  return view;
}

v1::RunDetail RunDetailView(const v1::RunRecord& run, const RunProgress* progress) {
  v1::RunDetail view;
  *view.mutable_run() = RunView(run, progress);
  *view.mutable_spec() = run.spec();
  for (const auto& attempt : run.attempts()) *view.add_attempts() = AttemptView(attempt);
  for (const auto& checkpoint : run.checkpoints()) {
    *view.add_checkpoints() = CheckpointView(checkpoint);
  }
  *view.mutable_notices() = run.notices();
  return view;
}

v1::Worker WorkerView(const v1::WorkerRecord& worker, const WorkerPulse* pulse) {
  v1::Worker view;
  view.set_name(worker.name());
  view.set_state(Word(worker.state()));
  view.set_pool(worker.pool());
  for (const v1::SlotRecord& slot : worker.slots()) {
    *view.add_slots() = slot.slot();
    if (slot.run().empty()) continue;
    const int count = view.runs_size();
    if (count == 0 || view.runs(count - 1) != slot.run()) view.add_runs(slot.run());
  }
  view.set_slots_free(FreeSlots(worker));
  view.set_version(worker.version());
  view.set_http_address(worker.http_address());
  if (pulse != nullptr) {
    SetTime(pulse->last_heartbeat, view.mutable_last_heartbeat());
    *view.mutable_usage() = pulse->usage;
  }
  return view;
}

}  // namespace ddl::coordinator
