#include "coordinator/core/desired.h"

#include <algorithm>
#include <set>
#include <utility>

namespace ddl::coordinator {
namespace {

bool HasRankOn(const v1::AttemptRecord& attempt, const std::string& worker) {
  return std::any_of(attempt.ranks().begin(), attempt.ranks().end(),
                     [&](const auto& rank) { return rank.worker() == worker; });
}

void DescribeLaunch(const v1::RunRecord& run, const v1::AttemptRecord& attempt,
                    const std::string& worker, v1::DesiredAttempt* desired) {
  *desired->mutable_spec() = run.spec();
  desired->set_world_size(static_cast<uint32_t>(attempt.ranks_size()));
  desired->set_experiment_id(run.experiment_id());
  *desired->mutable_checkpoints() = attempt.checkpoints();
  for (const v1::RankRecord& rank : attempt.ranks()) {
    if (rank.worker() != worker) continue;
    v1::RankAssignment* assignment = desired->add_ranks();
    assignment->set_rank(rank.rank());
    assignment->set_slot(rank.slot());
  }
  // Rank 0's worker chooses where the ranks meet.
  if (attempt.ranks(0).worker() != worker) {
    desired->set_rendezvous_host(attempt.rendezvous_host());
    desired->set_rendezvous_port(attempt.rendezvous_port());
  }
}

void DescribeLive(const v1::RunRecord& run, const v1::AttemptRecord& attempt,
                  const std::string& worker, absl::Duration grace, v1::DesiredAttempt* desired) {
  desired->set_run(run.id());
  desired->set_epoch(attempt.epoch());
  desired->set_attempt(attempt.attempt());
  switch (attempt.stop()) {
    case v1::STOP_KILL: desired->set_desired(v1::DESIRED_KILL); break;
    case v1::STOP_DRAIN:
      desired->set_desired(v1::DESIRED_DRAIN);
      desired->set_grace_seconds(absl::ToDoubleSeconds(grace));
      break;
    default: desired->set_desired(v1::DESIRED_RUN); DescribeLaunch(run, attempt, worker, desired);
  }
}

// An attempt that is over for the coordinator but not for the worker.
v1::Desired ForEnded(const v1::RunRecord& run, const v1::InventoryAttempt& held) {
  bool exited = true;
  bool delivered = true;
  for (const v1::InventoryRank& rank : held.ranks()) {
    exited = exited && rank.state() == v1::RANK_STATE_EXITED;
    delivered = delivered && rank.delivered_seq() >= rank.spool_seq();
  }
  const bool fenced = held.epoch() < run.epoch();
  return exited && (delivered || fenced) ? v1::DESIRED_FORGET : v1::DESIRED_KILL;
}

void AddDeletions(const State& state, const v1::WorkerRecord& worker,
                  v1::HeartbeatResponse* response) {
  for (const std::string& id : state.live_runs) {
    for (const v1::CheckpointRecord& checkpoint : state.runs.at(id).checkpoints()) {
      if (checkpoint.state() != v1::CHECKPOINT_STATE_DELETING ||
          checkpoint.worker() != worker.name()) {
        continue;
      }
      v1::CheckpointDeletion* deletion = response->add_deletions();
      deletion->set_run(id);
      deletion->set_folder(checkpoint.folder());
      deletion->set_step(checkpoint.step());
    }
  }
}

}  // namespace

v1::HeartbeatResponse DesiredSet(
    const State& state, const v1::WorkerRecord& worker,
    const google::protobuf::RepeatedPtrField<v1::InventoryAttempt>& inventory,
    absl::Duration grace) {
  v1::HeartbeatResponse response;
  response.set_term(state.term);
  response.set_generation(state.version);
  if (worker.hold()) {
    response.set_hold(true);
    return response;
  }
  std::set<std::pair<std::string, uint64_t>> named;
  for (const std::string& id : state.live_runs) {
    const v1::RunRecord& run = state.runs.at(id);
    const v1::AttemptRecord* attempt = LiveAttempt(run);
    if (attempt == nullptr || !HasRankOn(*attempt, worker.name())) continue;
    DescribeLive(run, *attempt, worker.name(), grace, response.add_desired());
    named.emplace(id, attempt->epoch());
  }
  for (const v1::InventoryAttempt& held : inventory) {
    const v1::RunRecord* run = FindRun(state, held.run());
    if (run == nullptr || !named.emplace(held.run(), held.epoch()).second) continue;
    v1::DesiredAttempt* desired = response.add_desired();
    desired->set_run(held.run());
    desired->set_epoch(held.epoch());
    const v1::AttemptRecord* attempt = FindAttempt(*run, held.epoch());
    if (attempt != nullptr) desired->set_attempt(attempt->attempt());
    desired->set_desired(ForEnded(*run, held));
  }
  AddDeletions(state, worker, &response);
  return response;
}

}  // namespace ddl::coordinator
