#include "coordinator/core/apply.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

v1::Event Placement(uint64_t epoch, const std::vector<std::pair<std::string, uint32_t>>& places) {
  v1::Event event;
  v1::AttemptPlaced* fact = event.mutable_attempt_placed();
  fact->set_run(kRun);
  fact->set_epoch(epoch);
  for (const auto& [worker, slot] : places) {
    v1::RankPlace* place = fact->add_ranks();
    place->set_rank(static_cast<uint32_t>(fact->ranks_size() - 1));
    place->set_worker(worker);
    place->set_slot(slot);
  }
  return event;
}

TEST_CASE("A placement takes its slots and raises the epoch by one") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(2));
  REQUIRE(ledger.Apply(Placement(1, {{"w1", 0}, {"w1", 1}})).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PLACED);
  CHECK(ledger.At(kRun).epoch() == 1);
  CHECK(ledger.Free("w1") == 0);
}

TEST_CASE("A placement that breaks a rule changes nothing") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(2));
  const std::string before = ledger.core.Hash();
  CHECK(absl::IsAborted(ledger.Apply(Placement(2, {{"w1", 0}, {"w1", 1}}))));
  CHECK_FALSE(ledger.Apply(Placement(1, {{"w1", 0}})).ok());
  CHECK_FALSE(ledger.Apply(Placement(1, {{"w1", 0}, {"w1", 0}})).ok());
  CHECK_FALSE(ledger.Apply(Placement(1, {{"w1", 0}, {"w2", 0}})).ok());
  CHECK(ledger.core.Hash() == before);
}

TEST_CASE("A slot that is held is not given again") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kOther, Ledger::Spec(1));
  ledger.Settle();
  ledger.Run(kRun, Ledger::Spec(1));
  CHECK_FALSE(ledger.Apply(Placement(1, {{"w1", 0}})).ok());
}

TEST_CASE("A worker that has not reported in this term gets nothing") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  REQUIRE(ledger.Term().ok());
  CHECK_FALSE(ledger.Apply(Placement(1, {{"w1", 0}})).ok());
}

}  // namespace
}  // namespace ddl::coordinator
