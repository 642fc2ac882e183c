#include "coordinator/core/state.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("Words are lower case without their prefix") {
  CHECK(Word(v1::RUN_STATE_STOPPED_EARLY) == "stopped_early");
  CHECK(Word(v1::EXPERIMENT_STATE_ACTIVE) == "active");
  CHECK(Word(v1::ATTEMPT_STATE_FENCED) == "fenced");
  CHECK(Word(v1::WORKER_STATE_SUSPECT) == "suspect");
  CHECK(Word(v1::CHECKPOINT_STATE_GONE) == "gone");
  CHECK(Word(v1::EXIT_CLASS_OUT_OF_MEMORY) == "out_of_memory");
}

TEST_CASE("What is not there is not found") {
  const Ledger ledger;
  CHECK(FindRun(ledger.core.state(), kRun) == nullptr);
  CHECK(FindExperiment(ledger.core.state(), kRun) == nullptr);
  CHECK(FindWorker(ledger.core.state(), "w1") == nullptr);
  CHECK(LastAttempt(v1::RunRecord()) == nullptr);
}

TEST_CASE("Free slots are those without a holder") {
  Ledger ledger;
  ledger.Worker("w1", 3);
  ledger.Run(kRun, Ledger::Spec(2));
  CHECK(ledger.Free("w1") == 3);
  ledger.Settle();
  CHECK(ledger.Free("w1") == 1);
  CHECK(LiveAttempt(ledger.At(kRun))->epoch() == 1);
  CHECK(FindAttempt(ledger.At(kRun), 2) == nullptr);
}

}  // namespace
}  // namespace ddl::coordinator
