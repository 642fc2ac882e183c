#include "tests/sim/invariants.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "coordinator/core/lineage.h"

namespace ddl::sim {

void Invariants::CheckRun(const coordinator::State& state, const v1::RunRecord& run) {
  uint64_t epoch = 0;
  int live = 0;
  for (const v1::AttemptRecord& attempt : run.attempts()) {
    if (attempt.epoch() <= epoch) {
      tally_.Break(absl::StrCat("epochs of run ", run.id(), " do not rise at ", attempt.epoch()));
    }
    epoch = attempt.epoch();
    live += coordinator::IsLive(attempt.state()) ? 1 : 0;
  }
  if (live > 1) tally_.Break(absl::StrCat("run ", run.id(), " has ", live, " live attempts"));
  if (epoch > run.epoch()) tally_.Break(absl::StrCat("the epoch of run ", run.id(), " lags"));
  std::set<std::string> folders;
  for (const v1::CheckpointRecord& checkpoint : run.checkpoints()) {
    if (!folders.insert(checkpoint.folder()).second) {
      tally_.Break(absl::StrCat("checkpoint ", checkpoint.folder(), " is there twice"));
    }
  }
  const v1::ResourceSpec& resources = run.spec().resources();
  if (run.user_failures() > resources.max_restarts() + 1 ||
      run.infrastructure_failures() > resources.max_infrastructure_restarts() + 1) {
    tally_.Break(absl::StrCat("run ", run.id(), " was restarted beyond its budget"));
  }
  if (state.experiments.count(run.experiment_id()) == 0) {
    tally_.Break(absl::StrCat("run ", run.id(), " has no experiment"));
  }
}

void Invariants::CheckSlots(const coordinator::State& state) {
  std::set<std::tuple<std::string, uint64_t, uint32_t>> holders;
  for (const auto& [name, worker] : state.workers) {
    for (const v1::SlotRecord& slot : worker.slots()) {
      if (slot.run().empty()) continue;
      if (!holders.emplace(slot.run(), slot.epoch(), slot.rank()).second) {
        tally_.Break(absl::StrCat("rank ", slot.rank(), " of run ", slot.run(), " has two slots"));
      }
    }
  }
  for (const std::string& id : state.live_runs) {
    const v1::AttemptRecord* attempt = coordinator::LiveAttempt(state.runs.at(id));
    if (attempt == nullptr) continue;
    for (const v1::RankRecord& rank : attempt->ranks()) {
      if (rank.state() == v1::RANK_STATE_EXITED) continue;
      if (holders.count({id, attempt->epoch(), rank.rank()}) == 0) {
        tally_.Break(absl::StrCat("rank ", rank.rank(), " of run ", id, " has no slot"));
      }
    }
  }
}

void Invariants::OnChange(const coordinator::Core& core, const coordinator::Effects& effects) {
  if (!effects.changed) return;
  const coordinator::State& state = core.state();
  for (const std::string& id : effects.changed_runs) CheckRun(state, state.runs.at(id));
  CheckSlots(state);
}

void Invariants::CheckAcknowledged(const coordinator::State& state, const Client& client) {
  for (const auto& [request, acknowledged] : client.acknowledged()) {
    const v1::ExperimentRecord* experiment =
        coordinator::FindExperiment(state, acknowledged.experiment);
    if (experiment == nullptr || experiment->name() != client.names().at(request)) {
      tally_.Break(absl::StrCat("acknowledged ", request, " is lost"));
    }
    for (const std::string& run : acknowledged.runs) {
      if (state.runs.count(run) == 0) tally_.Break(absl::StrCat("run ", run, " is lost"));
    }
  }
  std::map<std::string, int> names;
  for (const auto& [id, experiment] : state.experiments) {
    if (++names[experiment.name()] > 1) {
      tally_.Break(absl::StrCat("experiment ", experiment.name(), " is there twice"));
    }
  }
}

void Invariants::OnCommit(const coordinator::Core& core, const Client& client) {
  const coordinator::State& state = core.state();
  if (disk_.doubled_points() > 0) tally_.Break("a metric point was stored twice");
  if (++commits_ % 16 != 0) return;
  for (const auto& [id, run] : state.runs) {
    uint64_t& epoch = durable_epochs_[id];
    if (run.epoch() < epoch) tally_.Break(absl::StrCat("the epoch of run ", id, " fell"));
    epoch = run.epoch();
  }
  CheckAcknowledged(state, client);
}

void Invariants::Committed(const std::string& run, const std::string& folder) {
  committed_.emplace(run, folder);
}

void Invariants::Acknowledged(const agent::RankKey& rank, uint64_t seq) {
  uint64_t& highest = acknowledged_[rank];
  highest = std::max(highest, seq);
}

void Invariants::CheckFinished(const v1::RunRecord& run) {
  const v1::TrainSpec& train = run.spec().train();
  const auto steps = static_cast<int64_t>(train.tokens() / train.global_batch_tokens());
  if (!disk_.HasEachStepOnce(run.id(), coordinator::LineageOf(run), steps)) {
    tally_.Break(absl::StrCat("run ", run.id(), " succeeded without each of its ", steps,
                              " steps exactly once"));
  }
  const auto good = coordinator::Restorable(run);
  if (good.empty() || good.front()->step() != steps) {
    tally_.Break(absl::StrCat("run ", run.id(), " succeeded without a checkpoint of its end"));
  }
  if (good.size() > run.spec().checkpoint().keep_last()) {
    tally_.Break(absl::StrCat("run ", run.id(), " keeps ", good.size(), " checkpoints"));
  }
}

void Invariants::AtEnd(const coordinator::Core& core, const Client& client) {
  const coordinator::State& state = core.state();
  CheckAcknowledged(state, client);
  for (const auto& [id, run] : state.runs) {
    if (!coordinator::HasEnded(run.state())) {
      tally_.Break(absl::StrCat("run ", id, " never ended"));
    }
    if (run.state() == v1::RUN_STATE_SUCCEEDED) CheckFinished(run);
  }
  for (const auto& [run, folder] : committed_) {
    const v1::RunRecord* record = coordinator::FindRun(state, run);
    const bool known =
        record != nullptr && std::any_of(record->checkpoints().begin(), record->checkpoints().end(),
                                         [&folder = folder](const auto& checkpoint) {
                                           return checkpoint.folder() == folder;
                                         });
    if (!known) tally_.Break(absl::StrCat("acknowledged checkpoint ", folder, " is lost"));
  }
  for (const auto& [rank, seq] : acknowledged_) {
    const auto durable = disk_.DurableSeq(rank.attempt.run, rank.attempt.epoch, rank.rank);
    if (durable.value_or(0) < seq) {
      tally_.Break(absl::StrCat("acknowledged events of ", agent::ToString(rank), " are lost"));
    }
  }
  for (const auto& [name, worker] : state.workers) {
    for (const v1::SlotRecord& slot : worker.slots()) {
      if (slot.run().empty()) continue;
      tally_.Break(absl::StrCat("worker ", name, ", ", v1::WorkerState_Name(worker.state()),
                                ", holds a slot for rank ", slot.rank(), " of run ", slot.run(),
                                ", epoch ", slot.epoch(), ", at the end"));
    }
  }
}

}  // namespace ddl::sim
