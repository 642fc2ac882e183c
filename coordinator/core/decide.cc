#include "coordinator/core/decide.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "common/spec_rules.h"
#include "common/sweep_expand.h"
#include "coordinator/core/lineage.h"
#include "coordinator/core/times.h"

namespace ddl::coordinator {
namespace {

constexpr uint32_t kTrialsAtOnce = 100;  // More follow when it decides again.

// splitmix64: from one number to the next of a well-mixed sequence.
uint64_t Mix(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

uint32_t CountOf(const v1::ExperimentRecord& experiment, v1::RunState state) {
  const auto it = experiment.runs_by_state().find(static_cast<uint32_t>(state));
  return it == experiment.runs_by_state().end() ? 0 : it->second;
}

bool BackoffIsOver(const v1::RunRecord& run, absl::Time now, const CoreSettings& settings) {
  const absl::Time end = ToTime(run.not_before());
  // A clock that was set back must not make a run wait for hours.
  return now >= end || end - now > settings.longest_backoff;
}

// Takes out of `queue`, which is sorted, what exceeds its sweep's max_concurrent.
std::vector<QueuedRun> HoldBack(const State& state, std::vector<QueuedRun> queue,
                                std::vector<QueuedRun>* held_back) {
  std::map<std::string, uint32_t> taken;
  std::vector<QueuedRun> kept;
  for (QueuedRun& queued : queue) {
    const std::string& id = state.runs.at(queued.id).experiment_id();
    const v1::ExperimentRecord& experiment = state.experiments.at(id);
    const uint32_t limit = experiment.sweep().max_concurrent();
    const uint32_t active = CountOf(experiment, v1::RUN_STATE_PLACED) +
                            CountOf(experiment, v1::RUN_STATE_RUNNING) +
                            CountOf(experiment, v1::RUN_STATE_PREEMPTING);
    if (limit > 0 && active + taken[id] >= limit) {
      held_back->push_back(std::move(queued));
    } else {
      ++taken[id];
      kept.push_back(std::move(queued));
    }
  }
  return kept;
}

class Facts {
 public:
  Facts(const State& state, absl::Time now) : state_(state), now_(now) {}
  v1::Event* Add() {
    events_.push_back(MakeEvent(state_, now_, ""));
    return &events_.back();
  }
  std::vector<v1::Event> Take() { return std::move(events_); }

 private:
  const State& state_;
  absl::Time now_;
  std::vector<v1::Event> events_;
};

void EndBackoffs(const State& state, const CoreSettings& settings, absl::Time now, Facts* facts) {
  for (const std::string& id : state.live_runs) {
    const v1::RunRecord& run = state.runs.at(id);
    if (run.state() == v1::RUN_STATE_BACKOFF && BackoffIsOver(run, now, settings)) {
      facts->Add()->mutable_run_backoff_ended()->set_run(id);
    }
  }
}

void Expand(const State& state, const CoreSettings& settings, uint64_t entropy, Facts* facts) {
  IdSource ids(&state, entropy);
  for (const std::string& id : state.live_experiments) {
    const v1::ExperimentRecord& experiment = state.experiments.at(id);
    const uint32_t count = std::min(kTrialsAtOnce, TrialsToCreate(experiment, settings));
    for (uint32_t i = 0; i < count; ++i) {
      absl::StatusOr<v1::RunCreated> created =
          MakeTrial(experiment, experiment.created() + i, ids.Next());
      DDL_CHECK(created.ok());  // The sweep was checked, arm by arm, when it was submitted.
      *facts->Add()->mutable_run_created() = *std::move(created);
    }
  }
}

// Returns the runs that it places.
std::set<std::string> Place(const State& state, const CoreSettings& settings, Facts* facts) {
  std::set<std::string> runs;
  std::vector<QueuedRun> held_back;
  std::vector<QueuedRun> queue = QueueOf(state, settings, &held_back);
  if (queue.empty()) return runs;
  for (const PlacedRun& placed : PlanPlacements(RoomOf(state), std::move(queue))) {
    const v1::RunRecord& run = state.runs.at(placed.id);
    runs.insert(placed.id);
    v1::AttemptPlaced* fact = facts->Add()->mutable_attempt_placed();
    fact->set_run(run.id());
    fact->set_epoch(run.epoch() + 1);
    for (size_t i = 0; i < placed.ranks.size(); ++i) {
      v1::RankPlace* place = fact->add_ranks();
      place->set_rank(static_cast<uint32_t>(i));
      place->set_worker(placed.ranks[i].worker);
      place->set_slot(placed.ranks[i].slot);
    }
    for (const v1::CheckpointRecord* checkpoint : Restorable(run)) {
      v1::CommittedCheckpoint* listed = fact->add_checkpoints();
      listed->set_folder(checkpoint->folder());
      listed->set_step(checkpoint->step());
      listed->set_manifest_sha256(checkpoint->manifest_sha256());
      listed->set_epoch(checkpoint->epoch());
    }
  }
  return runs;
}

// A run that is being placed is given all its checkpoints to restore from, and loses none until it
// has started.
void Retire(const State& state, const std::set<std::string>& placed, Facts* facts) {
  for (const std::string& id : state.live_runs) {
    if (placed.contains(id)) continue;
    for (const v1::CheckpointRecord* checkpoint : Superfluous(state.runs.at(id))) {
      v1::CheckpointRetired* fact = facts->Add()->mutable_checkpoint_retired();
      fact->set_run(id);
      fact->set_folder(checkpoint->folder());
    }
  }
}

}  // namespace

v1::Event MakeEvent(const State& state, absl::Time now, const std::string& principal) {
  v1::Event event;
  SetTime(now, event.mutable_time());
  event.set_term(state.term);
  event.set_principal(principal);
  return event;
}

std::string IdSource::Next() {
  while (true) {
    std::string id = IdFromBits(Mix(&entropy_));
    if (state_.runs.count(id) == 0 && state_.experiments.count(id) == 0 &&
        given_.insert(id).second) {
      return id;
    }
  }
}

v1::RunCreated MakeRun(const std::string& experiment_id, uint32_t index, const std::string& id,
                       const v1::ExperimentSpec& resolved) {
  v1::RunCreated fact;
  fact.set_id(id);
  fact.set_experiment_id(experiment_id);
  fact.set_trial(index);
  *fact.mutable_spec() = resolved;
  fact.set_residual(ResidualLabel(resolved.model().residual()));
  fact.set_arm(ArmKey(resolved));
  return fact;
}

absl::StatusOr<v1::RunCreated> MakeTrial(const v1::ExperimentRecord& experiment, uint32_t index,
                                         const std::string& id) {
  absl::StatusOr<v1::ExperimentSpec> spec = Trial(experiment.sweep(), index);
  if (!spec.ok()) return spec.status();
  return MakeRun(experiment.id(), index, id, *spec);
}

uint32_t TrialsToCreate(const v1::ExperimentRecord& experiment, const CoreSettings& settings) {
  if (experiment.expansion() != v1::EXPANSION_GOES_ON || !experiment.has_sweep()) return 0;
  uint32_t live = 0;
  for (const auto& [state, count] : experiment.runs_by_state()) {
    if (!HasEnded(static_cast<v1::RunState>(state))) live += count;
  }
  const uint32_t room = settings.live_runs_per_sweep - std::min(live, settings.live_runs_per_sweep);
  return std::min(room, experiment.trials() - experiment.created());
}

std::vector<WorkerRoom> RoomOf(const State& state) {
  std::vector<WorkerRoom> rooms;
  for (const auto& [name, worker] : state.workers) {
    if (worker.state() == v1::WORKER_STATE_LOST || worker.state() == v1::WORKER_STATE_CORDONED) {
      continue;
    }
    WorkerRoom room{name, worker.pool(), {}, static_cast<uint32_t>(worker.slots_size())};
    for (const v1::SlotRecord& slot : worker.slots()) {
      if (slot.run().empty() && IsSchedulable(state, worker)) {
        room.free.push_back(slot.slot().index());
      }
    }
    std::sort(room.free.begin(), room.free.end());
    rooms.push_back(std::move(room));
  }
  return rooms;
}

std::vector<QueuedRun> QueueOf(const State& state, const CoreSettings& settings,
                               std::vector<QueuedRun>* held_back) {
  std::vector<QueuedRun> queue;
  for (const std::string& id : state.live_runs) {
    const v1::RunRecord& run = state.runs.at(id);
    if (run.state() != v1::RUN_STATE_QUEUED) continue;
    QueuedRun queued;
    queued.id = id;
    queued.pool = run.spec().resources().pool();
    queued.ranks = run.spec().parallel().ranks();
    queued.priority = run.spec().resources().priority();
    queued.age = {state.experiments.at(run.experiment_id()).order(), run.trial()};
    for (const auto& [worker, failures] : run.failures_by_worker()) {
      if (failures >= settings.failures_to_exclude) queued.excluded.insert(worker);
    }
    queue.push_back(std::move(queued));
  }
  SortQueue(&queue);
  return HoldBack(state, std::move(queue), held_back);
}

std::vector<v1::Event> DecideFacts(const State& state, const CoreSettings& settings, absl::Time now,
                                   uint64_t entropy) {
  Facts facts(state, now);
  EndBackoffs(state, settings, now, &facts);
  Expand(state, settings, entropy, &facts);
  const std::set<std::string> placed = Place(state, settings, &facts);
  Retire(state, placed, &facts);
  return facts.Take();
}

}  // namespace ddl::coordinator
