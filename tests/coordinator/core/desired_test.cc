#include "coordinator/core/desired.h"

#include "coordinator/core/inventory.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

v1::HeartbeatResponse Ask(const Ledger& ledger, const Inventory& inventory = {}) {
  return DesiredSet(ledger.core.state(), ledger.core.state().workers.at("w1"), inventory,
                    absl::Seconds(60));
}

Inventory Holding(uint64_t epoch, v1::RankState state, uint64_t spooled, uint64_t delivered) {
  Inventory inventory;
  v1::InventoryAttempt* held = inventory.Add();
  held->set_run(kRun);
  held->set_epoch(epoch);
  v1::InventoryRank* rank = held->add_ranks();
  rank->set_state(state);
  rank->set_spool_seq(spooled);
  rank->set_delivered_seq(delivered);
  return inventory;
}

TEST_CASE("A placed attempt is wanted with its spec and slots, however often it is asked") {
  const Ledger ledger = PlacedLedger();
  const v1::HeartbeatResponse response = Ask(ledger);
  REQUIRE(response.desired_size() == 1);
  CHECK(response.desired(0).desired() == v1::DESIRED_RUN);
  CHECK(response.desired(0).epoch() == 1);
  CHECK(response.desired(0).world_size() == 1);
  REQUIRE(response.desired(0).ranks_size() == 1);
  CHECK(response.desired(0).spec().name() == "run");
  CHECK(Ask(ledger).SerializeAsString() == response.SerializeAsString());
}

TEST_CASE("Paused means drain with grace, canceled means kill") {
  Ledger ledger = PlacedLedger();
  REQUIRE(ledger.Pause(kRun).ok());
  CHECK(Ask(ledger).desired(0).desired() == v1::DESIRED_DRAIN);
  CHECK(Ask(ledger).desired(0).grace_seconds() == 60);
  REQUIRE(ledger.Cancel(kRun).ok());
  CHECK(Ask(ledger).desired(0).desired() == v1::DESIRED_KILL);
}

TEST_CASE("An ended attempt is forgotten once its events are delivered") {
  Ledger ledger = PlacedLedger();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_SUCCESS);
  const auto kExited = v1::RANK_STATE_EXITED;
  CHECK(Ask(ledger, Holding(1, kExited, 9, 8)).desired(0).desired() == v1::DESIRED_KILL);
  CHECK(Ask(ledger, Holding(1, kExited, 9, 9)).desired(0).desired() == v1::DESIRED_FORGET);
  CHECK(Ask(ledger).desired_size() == 0);
}

TEST_CASE("A fenced attempt is killed, and forgotten without its events") {
  Ledger ledger = PlacedLedger();
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_SUSPECT).ok());
  REQUIRE(ledger.WorkerState("w1", v1::WORKER_STATE_LOST).ok());
  CHECK(Ask(ledger, Holding(1, v1::RANK_STATE_RUNNING, 9, 2)).desired(0).desired() ==
        v1::DESIRED_KILL);
  CHECK(Ask(ledger, Holding(1, v1::RANK_STATE_EXITED, 9, 2)).desired(0).desired() ==
        v1::DESIRED_FORGET);
}

TEST_CASE("A worker that knows more is told to hold, and nothing else") {
  Ledger ledger = PlacedLedger();
  v1::Event event;
  event.mutable_worker_reported()->set_name("w1");
  event.mutable_worker_reported()->set_hold(true);
  REQUIRE(ledger.Apply(event).ok());
  const v1::HeartbeatResponse response = Ask(ledger);
  CHECK(response.hold());
  CHECK(response.desired_size() == 0);
}

TEST_CASE("The other workers of a gang are told where rank 0 listens once it is known") {
  Ledger ledger;
  ledger.Worker("w0", 1);
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(2));
  ledger.Settle();
  CHECK(Ask(ledger).desired(0).rendezvous_port() == 0);
  v1::Event event;
  event.mutable_rendezvous_chosen()->set_run(kRun);
  event.mutable_rendezvous_chosen()->set_epoch(1);
  event.mutable_rendezvous_chosen()->set_host("10.0.0.1");
  event.mutable_rendezvous_chosen()->set_port(4711);
  REQUIRE(ledger.Apply(event).ok());
  CHECK(Ask(ledger).desired(0).rendezvous_port() == 4711);
  const auto& first = ledger.core.state().workers.at("w0");
  CHECK(DesiredSet(ledger.core.state(), first, {}, absl::Seconds(1)).desired(0).rendezvous_port() ==
        0);
}

}  // namespace
}  // namespace ddl::coordinator
