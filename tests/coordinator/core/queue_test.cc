#include "coordinator/core/queue.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A waiting run is told what it waits for and who holds it") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  ledger.Run(kOther, Ledger::Spec(2));
  const std::vector<Waiting> queue = ExplainQueue(ledger.core.state());
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].run == kOther);
  CHECK(queue[0].position == 1);
  CHECK(queue[0].why == "waits for 2 slots in pool default: 1 free, run aaaa0001 holds 1");
}

TEST_CASE("A run behind another is told which comes first") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  ledger.Run(kOther, Ledger::Spec(2));
  ledger.Run("cccc0003", Ledger::Spec(1));
  const std::vector<Waiting> queue = ExplainQueue(ledger.core.state());
  REQUIRE(queue.size() == 2);
  CHECK(queue[1].why == "waits for 1 slot in pool default: 1 free, but run bbbb0002 comes first");
}

TEST_CASE("A run that the pool could never hold is told so") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(8));
  const std::vector<Waiting> queue = ExplainQueue(ledger.core.state());
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].why == "waits for 8 slots in pool default: its workers have 2 in all");
}

TEST_CASE("A run in backoff waits for its next try") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_USER);
  const std::vector<Waiting> queue = ExplainQueue(ledger.core.state());
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].why == "restart 1 of 2 after user: it said so");
}

}  // namespace
}  // namespace ddl::coordinator
