// Facts about placements.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "coordinator/core/apply.h"

namespace ddl::coordinator {
namespace {

v1::SlotRecord* MutableSlot(v1::WorkerRecord* worker, uint32_t index) {
  for (v1::SlotRecord& slot : *worker->mutable_slots()) {
    if (slot.slot().index() == index) return &slot;
  }
  return nullptr;
}

absl::Status CheckPlaces(Change& change, const v1::AttemptPlaced& fact, uint32_t ranks) {
  if (static_cast<uint32_t>(fact.ranks_size()) != ranks) {
    return absl::InvalidArgumentError(absl::StrCat("run ", fact.run(), " has ", ranks,
                                                   " ranks, the placement ", fact.ranks_size()));
  }
  std::set<std::pair<std::string, uint32_t>> taken;
  for (int i = 0; i < fact.ranks_size(); ++i) {
    const v1::RankPlace& place = fact.ranks(i);
    v1::WorkerRecord* worker = MutableWorker(change, place.worker());
    v1::SlotRecord* slot = worker == nullptr ? nullptr : MutableSlot(worker, place.slot());
    if (place.rank() != static_cast<uint32_t>(i) || slot == nullptr || !slot->run().empty() ||
        !IsSchedulable(change.state, *worker) ||
        !taken.emplace(place.worker(), place.slot()).second) {
      return absl::FailedPreconditionError(absl::StrCat("rank ", i, " of run ", fact.run(),
                                                        " cannot have slot ", place.slot(),
                                                        " of worker ", place.worker()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyFact(Change& change, const v1::AttemptPlaced& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  if (run == nullptr) return absl::NotFoundError(absl::StrCat("no run ", fact.run()));
  if (run->state() != v1::RUN_STATE_QUEUED || LiveAttempt(*run) != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run->id(), " is ", Word(run->state()), ", not queued"));
  }
  if (fact.epoch() != run->epoch() + 1) {
    return absl::AbortedError(absl::StrCat("the next epoch of run ", run->id(), " is ",
                                           run->epoch() + 1, ", not ", fact.epoch()));
  }
  const absl::Status status = CheckPlaces(change, fact, run->spec().parallel().ranks());
  if (!status.ok()) return status;
  v1::AttemptRecord* attempt = run->add_attempts();
  attempt->set_attempt(static_cast<uint32_t>(run->attempts_size()));
  attempt->set_epoch(fact.epoch());
  attempt->set_state(v1::ATTEMPT_STATE_ALLOCATED);
  *attempt->mutable_placed() = change.event.time();
  *attempt->mutable_checkpoints() = fact.checkpoints();
  for (const v1::RankPlace& place : fact.ranks()) {
    v1::RankRecord* rank = attempt->add_ranks();
    rank->set_rank(place.rank());
    rank->set_worker(place.worker());
    rank->set_slot(place.slot());
    v1::SlotRecord* slot = MutableSlot(MutableWorker(change, place.worker()), place.slot());
    slot->set_run(run->id());
    slot->set_epoch(fact.epoch());
    slot->set_rank(place.rank());
  }
  run->set_epoch(fact.epoch());
  run->clear_reason();
  MoveRun(change, run, v1::RUN_STATE_PLACED);
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::AttemptFenced& fact) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  v1::AttemptRecord* attempt = run == nullptr ? nullptr : MutableAttempt(run, fact.epoch());
  if (attempt == nullptr || attempt->state() != v1::ATTEMPT_STATE_LOST) {
    return absl::FailedPreconditionError(
        absl::StrCat("epoch ", fact.epoch(), " of run ", fact.run(), " is not lost"));
  }
  MoveAttempt(change, attempt, v1::ATTEMPT_STATE_FENCED);
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::RendezvousChosen& fact) {
  absl::StatusOr<v1::RunRecord*> run = RunOfEpoch(change, fact.run(), fact.epoch());
  if (!run.ok()) return run.status();
  v1::AttemptRecord* attempt = MutableAttempt(*run, fact.epoch());
  if (!IsLive(attempt->state()) || fact.host().empty() || fact.port() == 0 || fact.port() > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("run ", fact.run(), " cannot meet at ", fact.host(), ":", fact.port()));
  }
  attempt->set_rendezvous_host(fact.host());
  attempt->set_rendezvous_port(fact.port());
  Touch(change, **run);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
