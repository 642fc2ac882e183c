// Facts about workers and their slots, and the start of a term.
#include <set>

#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/attempt_stop.h"

namespace ddl::coordinator {
namespace {

absl::Status NoSuchWorker(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("no worker ", Quoted(name)));
}

absl::Status CheckSlots(const v1::WorkerRegistered& fact) {
  std::set<uint32_t> seen;
  for (const v1::Slot& slot : fact.slots()) {
    if (!seen.insert(slot.index()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("slot indexes of a worker must differ, got ", slot.index(), " twice"));
    }
  }
  return absl::OkStatus();
}

// The new slots, with the holders of those that were there before.
void ReplaceSlots(const v1::WorkerRegistered& fact, bool keep_holders, v1::WorkerRecord* worker) {
  const v1::WorkerRecord before = *worker;
  worker->clear_slots();
  for (const v1::Slot& slot : fact.slots()) {
    v1::SlotRecord* record = worker->add_slots();
    for (const v1::SlotRecord& old : before.slots()) {
      if (keep_holders && old.slot().index() == slot.index()) *record = old;
    }
    *record->mutable_slot() = slot;
  }
}

}  // namespace

absl::Status ApplyFact(Change& change, const v1::TermStarted& fact) {
  State& state = change.state;
  if (fact.term() != change.event.term()) {
    return absl::InvalidArgumentError(
        absl::StrCat("an event of term ", change.event.term(), " cannot open term ", fact.term()));
  }
  if (fact.cluster_id().empty() ||
      (!state.cluster_id.empty() && state.cluster_id != fact.cluster_id())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cluster ", Quoted(state.cluster_id), " cannot become ", Quoted(fact.cluster_id())));
  }
  state.term = fact.term();
  state.cluster_id = fact.cluster_id();
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::WorkerRegistered& fact) {
  absl::Status status = CheckName(fact.name());
  if (status.ok()) status = CheckSlots(fact);
  if (!status.ok()) return status;
  const v1::WorkerRecord* known = MutableWorker(change, fact.name());
  const bool rebooted = known != nullptr && known->boot_id() != fact.boot_id();
  if (rebooted) {
    LoseRanksOn(change, fact.name(), absl::StrCat("worker ", fact.name(), " has rebooted"));
  }
  v1::WorkerRecord& worker = change.state.workers[fact.name()];
  if (known == nullptr) {
    worker.set_name(fact.name());
    worker.set_state(v1::WORKER_STATE_READY);
  }
  if (worker.session() != fact.session()) worker.set_replaced_session(worker.session());
  worker.set_session(fact.session());
  worker.set_boot_id(fact.boot_id());
  worker.set_pool(fact.pool());
  *worker.mutable_labels() = fact.labels();
  worker.set_data_address(fact.data_address());
  worker.set_http_address(fact.http_address());
  worker.set_version(fact.version());
  *worker.mutable_registered() = change.event.time();
  worker.set_reported_term(0);
  worker.set_hold(false);
  worker.clear_hold_reason();
  ReplaceSlots(fact, /*keep_holders=*/!rebooted, &worker);
  if (worker.state() == v1::WORKER_STATE_LOST || worker.state() == v1::WORKER_STATE_SUSPECT) {
    MoveWorker(change, &worker, v1::WORKER_STATE_READY);
  }
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::WorkerStateChanged& fact) {
  v1::WorkerRecord* worker = MutableWorker(change, fact.name());
  if (worker == nullptr) return NoSuchWorker(fact.name());
  if (!IsAllowed(Arrow(worker->state(), fact.state()))) {
    return absl::FailedPreconditionError(absl::StrCat("worker ", fact.name(), " cannot go from ",
                                                      Word(worker->state()), " to ",
                                                      Word(fact.state())));
  }
  MoveWorker(change, worker, fact.state());
  if (fact.state() == v1::WORKER_STATE_LOST) {
    worker->set_reported_term(0);
    LoseRanksOn(change, fact.name(), absl::StrCat("worker ", fact.name(), " is lost"));
  }
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::WorkerReported& fact) {
  v1::WorkerRecord* worker = MutableWorker(change, fact.name());
  if (worker == nullptr) return NoSuchWorker(fact.name());
  worker->set_reported_term(change.state.term);
  worker->set_hold(fact.hold());
  worker->set_hold_reason(fact.reason());
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::SlotReleased& fact) {
  v1::WorkerRecord* worker = MutableWorker(change, fact.worker());
  if (worker == nullptr) return NoSuchWorker(fact.worker());
  for (v1::SlotRecord& slot : *worker->mutable_slots()) {
    if (slot.slot().index() != fact.slot() || slot.run() != fact.run() ||
        slot.epoch() != fact.epoch()) {
      continue;
    }
    slot.clear_run();
    slot.clear_epoch();
    slot.clear_rank();
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("slot ", fact.slot(), " of worker ",
                                                    fact.worker(), " is not held by run ",
                                                    fact.run(), " epoch ", fact.epoch()));
}

}  // namespace ddl::coordinator
