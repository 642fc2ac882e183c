#include "coordinator/core/apply.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

v1::ExperimentState StateOf(const Ledger& ledger, const std::string& run) {
  return ledger.core.state().experiments.at(ledger.At(run).experiment_id()).state();
}

TEST_CASE("A run can be canceled from every state in which it has not ended") {
  Ledger ledger;
  ledger.Run(kRun, Ledger::Spec(1));
  REQUIRE(ledger.Cancel(kRun).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_CANCELED);
  CHECK(StateOf(ledger, kRun) == v1::EXPERIMENT_STATE_CANCELED);
  CHECK(absl::IsFailedPrecondition(ledger.Cancel(kRun)));
}

TEST_CASE("Cancelling a placed run kills its ranks and frees the slot only when they are gone") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Cancel(kRun).ok());
  CHECK(ledger.Attempt(kRun).stop() == v1::STOP_KILL);
  CHECK(ledger.Free("w1") == 0);
  REQUIRE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_EXITED).ok());
  CHECK(ledger.Free("w1") == 1);
}

TEST_CASE("Pausing drains a running run, and a drained one is paused") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Pause(kRun).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PREEMPTING);
  CHECK(ledger.Attempt(kRun).stop() == v1::STOP_DRAIN);
  CHECK(absl::IsFailedPrecondition(ledger.Pause(kRun)));
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_PREEMPTED);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PAUSED);
  CHECK(ledger.At(kRun).infrastructure_failures() == 0);
  CHECK(StateOf(ledger, kRun) == v1::EXPERIMENT_STATE_PAUSED);
  REQUIRE(ledger.Resume(kRun).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_QUEUED);
  CHECK(StateOf(ledger, kRun) == v1::EXPERIMENT_STATE_ACTIVE);
}

TEST_CASE("A pause that is taken back while it drains queues the run again") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Pause(kRun).ok());
  REQUIRE(ledger.Resume(kRun).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_PREEMPTED);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_QUEUED);
}

TEST_CASE("Trials of a sweep are made in order and never beyond the declared number") {
  Ledger ledger;
  v1::Event event;
  event.mutable_experiment_submitted()->set_id("xaaa0001");
  event.mutable_experiment_submitted()->set_trials(2);
  REQUIRE(ledger.Apply(event).ok());
  CHECK(absl::IsAlreadyExists(ledger.Apply(event)));
  const auto create = [&](const std::string& id, uint32_t trial) {
    v1::Event created;
    created.mutable_run_created()->set_id(id);
    created.mutable_run_created()->set_experiment_id("xaaa0001");
    created.mutable_run_created()->set_trial(trial);
    return ledger.Apply(created);
  };
  CHECK_FALSE(create("aaaa0001", 1).ok());
  CHECK(create("aaaa0001", 0).ok());
  CHECK_FALSE(create("aaaa0001", 1).ok());  // The id is taken.
  CHECK(create("aaaa0002", 1).ok());
  CHECK_FALSE(create("aaaa0003", 2).ok());
}

TEST_CASE("An experiment ends when its runs have ended and no trial is left to make") {
  Ledger ledger;
  v1::Event event;
  event.mutable_experiment_submitted()->set_id("xaaa0001");
  event.mutable_experiment_submitted()->set_trials(2);
  REQUIRE(ledger.Apply(event).ok());
  v1::Event created;
  created.mutable_run_created()->set_id(kRun);
  created.mutable_run_created()->set_experiment_id("xaaa0001");
  REQUIRE(ledger.Apply(created).ok());
  REQUIRE(ledger.Cancel(kRun).ok());
  CHECK(StateOf(ledger, kRun) == v1::EXPERIMENT_STATE_ACTIVE);
  v1::Event halted;
  halted.mutable_experiment_halted()->set_id("xaaa0001");
  halted.mutable_experiment_halted()->set_expansion(v1::EXPANSION_CANCELED);
  REQUIRE(ledger.Apply(halted).ok());
  CHECK(StateOf(ledger, kRun) == v1::EXPERIMENT_STATE_CANCELED);
}

}  // namespace
}  // namespace ddl::coordinator
