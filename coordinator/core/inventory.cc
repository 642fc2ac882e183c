#include "coordinator/core/inventory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ddl::coordinator {
namespace {

const v1::InventoryAttempt* FindHeld(const Inventory& inventory, const std::string& run,
                                     uint64_t epoch) {
  for (const v1::InventoryAttempt& held : inventory) {
    if (held.run() == run && held.epoch() == epoch) return &held;
  }
  return nullptr;
}

const v1::InventoryRank* FindHeldRank(const v1::InventoryAttempt* held, uint32_t rank) {
  if (held == nullptr) return nullptr;
  for (const v1::InventoryRank& candidate : held->ranks()) {
    if (candidate.rank() == rank) return &candidate;
  }
  return nullptr;
}

// A process of this rank may exist.
bool MayRun(const v1::InventoryRank* rank) {
  return rank != nullptr && rank->state() != v1::RANK_STATE_EXITED;
}

class RankFacts {
 public:
  RankFacts(const v1::Event& envelope, const v1::RunRecord& run, const v1::AttemptRecord& attempt,
            std::vector<v1::Event>* facts)
      : envelope_(envelope), run_(run), attempt_(attempt), facts_(*facts) {}

  void Observed(const v1::RankRecord& rank, v1::RankState state) {
    if (state <= rank.state()) return;
    v1::RankObserved* fact = Add()->mutable_rank_observed();
    Fill(rank, fact);
    fact->set_state(state);
  }
  // Its process is gone and nothing more will come.
  void Gone(const v1::RankRecord& rank, const std::string& message) {
    Observed(rank, v1::RANK_STATE_EXITED);
    if (rank.settled() || rank.exit_recorded()) return;
    v1::RankSettled* fact = Add()->mutable_rank_settled();
    Fill(rank, fact);
    fact->set_message(message);
  }

 private:
  v1::Event* Add() {
    facts_.push_back(envelope_);
    return &facts_.back();
  }
  template <typename Fact>
  void Fill(const v1::RankRecord& rank, Fact* fact) const {
    fact->set_run(run_.id());
    fact->set_epoch(attempt_.epoch());
    fact->set_rank(rank.rank());
  }

  const v1::Event& envelope_;
  const v1::RunRecord& run_;
  const v1::AttemptRecord& attempt_;
  std::vector<v1::Event>& facts_;
};

// The worker does not list the rank.
void AboutAbsent(const v1::AttemptRecord& attempt, const v1::RankRecord& rank,
                 const v1::InventoryAttempt* held, RankFacts* facts) {
  if (held != nullptr && !held->launch_error().empty()) {
    facts->Gone(rank, held->launch_error());
  } else if (rank.state() == v1::RANK_STATE_RUNNING || rank.state() == v1::RANK_STATE_EXITED) {
    facts->Gone(rank, absl::StrCat("worker ", rank.worker(), " does not hold it any more"));
  } else if (attempt.stop() != v1::STOP_NONE) {
    facts->Gone(rank, "it was stopped before it started");
  }
}

void AboutRendezvous(const v1::RunRecord& run, const v1::AttemptRecord& attempt,
                     const v1::WorkerRecord& worker, const v1::InventoryAttempt* held,
                     const v1::Event& envelope, std::vector<v1::Event>* facts) {
  if (held == nullptr || held->rendezvous_host().empty() || held->rendezvous_port() == 0 ||
      held->rendezvous_port() > 65535 || attempt.ranks(0).worker() != worker.name()) {
    return;
  }
  if (held->rendezvous_host() == attempt.rendezvous_host() &&
      held->rendezvous_port() == attempt.rendezvous_port()) {
    return;
  }
  facts->push_back(envelope);
  v1::RendezvousChosen* fact = facts->back().mutable_rendezvous_chosen();
  fact->set_run(run.id());
  fact->set_epoch(attempt.epoch());
  fact->set_host(held->rendezvous_host());
  fact->set_port(held->rendezvous_port());
}

// Every process that the worker lists has a slot in its name.
bool AllHaveSlots(const v1::WorkerRecord& worker, const Inventory& inventory) {
  for (const v1::InventoryAttempt& held : inventory) {
    for (const v1::InventoryRank& rank : held.ranks()) {
      if (!MayRun(&rank)) continue;
      const bool has_slot =
          std::any_of(worker.slots().begin(), worker.slots().end(), [&](const auto& slot) {
            return slot.run() == held.run() && slot.epoch() == held.epoch() &&
                   slot.rank() == rank.rank();
          });
      if (!has_slot) return false;
    }
  }
  return true;
}

bool IsLiveAttempt(const State& state, const std::string& run, uint64_t epoch) {
  const v1::RunRecord* record = FindRun(state, run);
  const v1::AttemptRecord* live = record == nullptr ? nullptr : LiveAttempt(*record);
  return live != nullptr && live->epoch() == epoch;
}

}  // namespace

std::string ReasonToHold(const State& state, const Inventory& inventory, uint64_t term_seen) {
  if (term_seen > state.term) {
    return absl::StrCat("the worker has seen term ", term_seen, ", this is term ", state.term);
  }
  for (const v1::InventoryAttempt& held : inventory) {
    const v1::RunRecord* run = FindRun(state, held.run());
    if (run == nullptr || FindAttempt(*run, held.epoch()) == nullptr) {
      return absl::StrCat("the worker holds epoch ", held.epoch(), " of run ", held.run(),
                          ", which this coordinator has never placed");
    }
  }
  return "";
}

std::vector<v1::Event> FactsAboutRanks(
    const State& state, const v1::WorkerRecord& worker, const Inventory& inventory,
    const std::function<uint64_t(const std::string&, uint64_t, uint32_t)>& applied_seq,
    const v1::Event& envelope) {
  std::vector<v1::Event> facts;
  for (const std::string& id : state.live_runs) {
    const v1::RunRecord& run = state.runs.at(id);
    const v1::AttemptRecord* attempt = LiveAttempt(run);
    if (attempt == nullptr) continue;
    const v1::InventoryAttempt* held = FindHeld(inventory, id, attempt->epoch());
    AboutRendezvous(run, *attempt, worker, held, envelope, &facts);
    RankFacts about(envelope, run, *attempt, &facts);
    for (const v1::RankRecord& rank : attempt->ranks()) {
      if (rank.worker() != worker.name()) continue;
      const v1::InventoryRank* listed = FindHeldRank(held, rank.rank());
      if (listed == nullptr) {
        AboutAbsent(*attempt, rank, held, &about);
      } else if (MayRun(listed)) {
        about.Observed(rank, listed->state());
      } else if (listed->spool_seq() <= applied_seq(id, attempt->epoch(), rank.rank())) {
        about.Gone(rank, "it ended without an exit record");
      } else {
        about.Observed(rank, v1::RANK_STATE_EXITED);
      }
    }
  }
  return facts;
}

std::vector<v1::Event> FactsAboutSlots(const State& state, const v1::WorkerRecord& worker,
                                       const Inventory& inventory, const v1::Event& envelope) {
  std::vector<v1::Event> facts;
  for (const v1::InventoryAttempt& held : inventory) {
    const v1::RunRecord* run = FindRun(state, held.run());
    const v1::AttemptRecord* attempt = run == nullptr ? nullptr : FindAttempt(*run, held.epoch());
    if (attempt == nullptr || attempt->state() != v1::ATTEMPT_STATE_LOST) continue;
    facts.push_back(envelope);
    facts.back().mutable_attempt_fenced()->set_run(held.run());
    facts.back().mutable_attempt_fenced()->set_epoch(held.epoch());
  }
  for (const v1::SlotRecord& slot : worker.slots()) {
    if (slot.run().empty() || IsLiveAttempt(state, slot.run(), slot.epoch())) continue;
    const v1::InventoryAttempt* held = FindHeld(inventory, slot.run(), slot.epoch());
    if (MayRun(FindHeldRank(held, slot.rank()))) continue;
    facts.push_back(envelope);
    v1::SlotReleased* fact = facts.back().mutable_slot_released();
    fact->set_worker(worker.name());
    fact->set_slot(slot.slot().index());
    fact->set_run(slot.run());
    fact->set_epoch(slot.epoch());
  }
  const bool reported = worker.reported_term() == state.term && !worker.hold();
  if (!reported && AllHaveSlots(worker, inventory)) {
    facts.push_back(envelope);
    facts.back().mutable_worker_reported()->set_name(worker.name());
  }
  return facts;
}

}  // namespace ddl::coordinator
