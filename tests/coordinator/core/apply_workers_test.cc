#include "coordinator/core/apply.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("Terms rise by exactly one and a cluster keeps its id") {
  Ledger ledger;
  v1::Event event;
  event.set_term(3);
  event.mutable_term_started()->set_term(3);
  event.mutable_term_started()->set_cluster_id("c1");
  CHECK(absl::IsAborted(ledger.Apply(event)));
  event.set_term(2);
  event.mutable_term_started()->set_term(2);
  event.mutable_term_started()->set_cluster_id("c2");
  CHECK_FALSE(ledger.Apply(event).ok());
  CHECK(ledger.Term().ok());
  CHECK(ledger.core.state().term == 2);
}

TEST_CASE("A new session of the same boot keeps its attempts and its slots") {
  Ledger ledger = RunningLedger();
  ledger.Worker("w1", 1, "b1", "s2");
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_RUNNING);
  CHECK(ledger.Free("w1") == 0);
}

TEST_CASE("A new boot loses every attempt at once, fences it and frees the slots") {
  Ledger ledger = RunningLedger();
  ledger.Worker("w1", 1, "b2", "s2");
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_LOST);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
  CHECK(ledger.At(kRun).epoch() == 2);
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("The slots of a lost worker stay held: its processes may run on") {
  Ledger ledger = RunningLedger();
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_SUSPECT).ok());
  CHECK_FALSE(ledger.WorkerState("w1", v1::WORKER_STATE_SUSPECT).ok());
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_LOST).ok());
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_LOST);
  CHECK(ledger.Free("w1") == 0);
  v1::Event event;
  event.mutable_slot_released()->set_worker("w1");
  event.mutable_slot_released()->set_slot(0);
  event.mutable_slot_released()->set_run(kRun);
  event.mutable_slot_released()->set_epoch(7);
  CHECK_FALSE(ledger.Apply(event).ok());
  event.mutable_slot_released()->set_epoch(1);
  CHECK(ledger.Apply(event).ok());
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("A lost worker that registers again is ready, but used only after it reported") {
  Ledger ledger = RunningLedger();
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_SUSPECT).ok());
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_LOST).ok());
  v1::Event event;
  event.mutable_worker_registered()->set_name("w1");
  event.mutable_worker_registered()->set_session("s1");
  event.mutable_worker_registered()->set_boot_id("b1");
  event.mutable_worker_registered()->add_slots()->set_index(0);
  REQUIRE(ledger.Apply(event).ok());
  const v1::WorkerRecord& worker = ledger.core.state().workers.at("w1");
  CHECK(worker.state() == v1::WORKER_STATE_READY);
  CHECK_FALSE(IsSchedulable(ledger.core.state(), worker));
  ledger.Report("w1");
  CHECK(IsSchedulable(ledger.core.state(), worker));
}

TEST_CASE("Two slots of one index are refused") {
  Ledger ledger;
  v1::Event event;
  event.mutable_worker_registered()->set_name("w1");
  event.mutable_worker_registered()->add_slots()->set_index(0);
  event.mutable_worker_registered()->add_slots()->set_index(0);
  CHECK(absl::IsInvalidArgument(ledger.Apply(event)));
}

}  // namespace
}  // namespace ddl::coordinator
