#include "coordinator/core/change.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "coordinator/core/epoch.h"
#include "coordinator/core/lineage.h"

namespace ddl::coordinator {
namespace {

template <typename S>
void Record(Change& change, S from, S to) {
  const Transition arrow = Arrow(from, to);
  DDL_CHECK(IsAllowed(arrow));
  change.effects.transitions.push_back(arrow);
}

uint32_t Count(const v1::ExperimentRecord& experiment, v1::RunState state) {
  const auto it = experiment.runs_by_state().find(static_cast<uint32_t>(state));
  return it == experiment.runs_by_state().end() ? 0 : it->second;
}

v1::ExperimentState EndState(const v1::ExperimentRecord& experiment) {
  if (Count(experiment, v1::RUN_STATE_FAILED) > 0) return v1::EXPERIMENT_STATE_FAILED;
  if (Count(experiment, v1::RUN_STATE_CANCELED) > 0 ||
      experiment.expansion() == v1::EXPANSION_CANCELED) {
    return v1::EXPERIMENT_STATE_CANCELED;
  }
  return v1::EXPERIMENT_STATE_COMPLETED;
}

v1::ExperimentState StateFromRuns(const v1::ExperimentRecord& experiment) {
  uint32_t live = 0;
  for (const auto& [state, count] : experiment.runs_by_state()) {
    if (!HasEnded(static_cast<v1::RunState>(state))) live += count;
  }
  const bool all_made = experiment.created() == experiment.trials();
  const bool no_more = all_made || experiment.expansion() == v1::EXPANSION_CANCELED;
  if (live == 0 && no_more) return EndState(experiment);
  const bool halted = no_more || experiment.expansion() == v1::EXPANSION_PAUSED;
  if (halted && Count(experiment, v1::RUN_STATE_PAUSED) == live) {
    return v1::EXPERIMENT_STATE_PAUSED;
  }
  const bool untouched = Count(experiment, v1::RUN_STATE_QUEUED) == experiment.created();
  if (experiment.state() == v1::EXPERIMENT_STATE_SUBMITTED && untouched) {
    return v1::EXPERIMENT_STATE_SUBMITTED;
  }
  return v1::EXPERIMENT_STATE_ACTIVE;
}

}  // namespace

void DeriveExperiment(Change& change, v1::ExperimentRecord* experiment) {
  change.effects.changed_experiments.push_back(experiment->id());
  const v1::ExperimentState to = StateFromRuns(*experiment);
  const v1::ExperimentState from = experiment->state();
  if (to == from) return;
  const bool through_active = !IsAllowed(Arrow(from, to));
  if (through_active) Record(change, from, v1::EXPERIMENT_STATE_ACTIVE);
  Record(change, through_active ? v1::EXPERIMENT_STATE_ACTIVE : from, to);
  experiment->set_state(to);
  if (HasEnded(to)) change.state.live_experiments.erase(experiment->id());
}

void MoveRun(Change& change, v1::RunRecord* run, v1::RunState to) {
  Record(change, run->state(), to);
  const auto experiment = change.state.experiments.find(run->experiment_id());
  DDL_CHECK(experiment != change.state.experiments.end());
  auto& counts = *experiment->second.mutable_runs_by_state();
  uint32_t& left = counts[static_cast<uint32_t>(run->state())];
  DDL_CHECK(left > 0);
  if (--left == 0) counts.erase(static_cast<uint32_t>(run->state()));
  ++counts[static_cast<uint32_t>(to)];
  run->set_state(to);
  if (to == v1::RUN_STATE_RUNNING && !run->has_started()) {
    *run->mutable_started() = change.event.time();
  }
  if (HasEnded(to)) {
    *run->mutable_ended() = change.event.time();
    run->set_pause_requested(false);
  }
  DeriveExperiment(change, &experiment->second);
}

void MoveAttempt(Change& change, v1::AttemptRecord* attempt, v1::AttemptState to) {
  Record(change, attempt->state(), to);
  attempt->set_state(to);
  if (to == v1::ATTEMPT_STATE_RUNNING) *attempt->mutable_started() = change.event.time();
  if (!IsLive(to) && !attempt->has_ended()) *attempt->mutable_ended() = change.event.time();
}

void MoveWorker(Change& change, v1::WorkerRecord* worker, v1::WorkerState to) {
  Record(change, worker->state(), to);
  worker->set_state(to);
}

void MoveCheckpoint(Change& change, v1::CheckpointRecord* checkpoint, v1::CheckpointState to) {
  Record(change, checkpoint->state(), to);
  checkpoint->set_state(to);
}

bool NeedsAttention(const v1::RunRecord& run) {
  if (!HasEnded(run.state()) || LiveAttempt(run) != nullptr) return true;
  const bool deleting = std::any_of(
      run.checkpoints().begin(), run.checkpoints().end(),
      [](const auto& checkpoint) { return checkpoint.state() == v1::CHECKPOINT_STATE_DELETING; });
  return deleting || !Superfluous(run).empty();
}

void Touch(Change& change, const v1::RunRecord& run) {
  change.effects.changed_runs.push_back(run.id());
  if (NeedsAttention(run)) {
    change.state.live_runs.insert(run.id());
  } else {
    change.state.live_runs.erase(run.id());
  }
}

v1::RunRecord* MutableRun(Change& change, const std::string& id) {
  const auto it = change.state.runs.find(id);
  return it == change.state.runs.end() ? nullptr : &it->second;
}

v1::WorkerRecord* MutableWorker(Change& change, const std::string& name) {
  const auto it = change.state.workers.find(name);
  return it == change.state.workers.end() ? nullptr : &it->second;
}

v1::AttemptRecord* MutableAttempt(v1::RunRecord* run, uint64_t epoch) {
  for (int i = run->attempts_size() - 1; i >= 0; --i) {
    if (run->attempts(i).epoch() == epoch) return run->mutable_attempts(i);
  }
  return nullptr;
}

absl::StatusOr<v1::RunRecord*> RunOfEpoch(Change& change, const std::string& id, uint64_t epoch) {
  const absl::Status status = CheckEpoch(change.state, id, epoch);
  if (!status.ok()) return status;
  return MutableRun(change, id);
}

}  // namespace ddl::coordinator
