#include "coordinator/core/inventory.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

Inventory Holding(uint64_t epoch, v1::RankState state, uint64_t spooled = 0) {
  Inventory inventory;
  v1::InventoryAttempt* held = inventory.Add();
  held->set_run(kRun);
  held->set_epoch(epoch);
  v1::InventoryRank* rank = held->add_ranks();
  rank->set_state(state);
  rank->set_spool_seq(spooled);
  return inventory;
}

// Applies what the inventory says, with `applied` events of the rank applied.
int Tell(Ledger* ledger, const Inventory& inventory, uint64_t applied = 0) {
  const State& state = ledger->core.state();
  const auto seq = [applied](const std::string&, uint64_t, uint32_t) { return applied; };
  int facts = 0;
  for (const v1::Event& fact :
       FactsAboutRanks(state, state.workers.at("w1"), inventory, seq, v1::Event())) {
    facts += ledger->Apply(fact).ok() ? 1 : 0;
  }
  for (const v1::Event& fact :
       FactsAboutSlots(state, state.workers.at("w1"), inventory, v1::Event())) {
    REQUIRE(ledger->Apply(fact).ok());
    ++facts;
  }
  return facts;
}

TEST_CASE("An attempt that its worker never listed is still to be started") {
  Ledger ledger = PlacedLedger();
  CHECK(Tell(&ledger, {}) == 0);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PLACED);
}

TEST_CASE("One that was to stop before it was listed is gone") {
  Ledger ledger = PlacedLedger();
  REQUIRE(ledger.Cancel(kRun).ok());
  Tell(&ledger, {});
  CHECK_FALSE(IsLive(ledger.Attempt(kRun).state()));
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("A repeated inventory says nothing new") {
  Ledger ledger = PlacedLedger();
  CHECK(Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING)) == 1);
  CHECK(Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING)) == 0);
  CHECK(Tell(&ledger, Holding(1, v1::RANK_STATE_LAUNCHING)) == 0);
}

TEST_CASE("A running rank that is listed no more is gone at once") {
  Ledger ledger = PlacedLedger();
  Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING));
  Tell(&ledger, {});
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_FAILED);
  CHECK(ledger.At(kRun).infrastructure_failures() == 1);
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("The slot of an exited rank is free before its last events have come") {
  Ledger ledger = PlacedLedger();
  Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING));
  Tell(&ledger, Holding(1, v1::RANK_STATE_EXITED, 5), 4);
  CHECK(ledger.Free("w1") == 1);
  CHECK(IsLive(ledger.Attempt(kRun).state()));
  Tell(&ledger, Holding(1, v1::RANK_STATE_EXITED, 5), 5);
  CHECK_FALSE(IsLive(ledger.Attempt(kRun).state()));
}

TEST_CASE("A lost attempt that comes back is fenced and holds its slot until it is gone") {
  Ledger ledger = PlacedLedger();
  Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING));
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_SUSPECT).ok());
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_LOST).ok());
  v1::Event event;
  event.mutable_worker_registered()->set_name("w1");
  event.mutable_worker_registered()->set_session("s1");
  event.mutable_worker_registered()->set_boot_id("b1");
  event.mutable_worker_registered()->add_slots()->set_index(0);
  REQUIRE(ledger.Apply(event).ok());
  Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING));
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_FENCED);
  CHECK(ledger.Free("w1") == 0);
  CHECK(IsSchedulable(ledger.core.state(), ledger.core.state().workers.at("w1")));
  Tell(&ledger, Holding(1, v1::RANK_STATE_EXITED));
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("A worker with a process that has no slot in its name may not be used yet") {
  Ledger ledger = PlacedLedger();
  ledger.Worker("w1", 1, "b2", "s2");  // A new boot: the attempt is lost, its slot is free.
  REQUIRE(ledger.Term().ok());
  Tell(&ledger, Holding(1, v1::RANK_STATE_RUNNING));
  CHECK_FALSE(IsSchedulable(ledger.core.state(), ledger.core.state().workers.at("w1")));
  Tell(&ledger, Holding(1, v1::RANK_STATE_EXITED));
  CHECK(IsSchedulable(ledger.core.state(), ledger.core.state().workers.at("w1")));
}

TEST_CASE("What was never placed, or a later term, is a reason to hold") {
  const Ledger ledger = PlacedLedger();
  const State& state = ledger.core.state();
  CHECK(ReasonToHold(state, Holding(1, v1::RANK_STATE_RUNNING), 1).empty());
  CHECK_FALSE(ReasonToHold(state, Holding(2, v1::RANK_STATE_RUNNING), 1).empty());
  CHECK_FALSE(ReasonToHold(state, {}, 2).empty());
}

}  // namespace
}  // namespace ddl::coordinator
