#include "coordinator/core/change.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

uint32_t SumOf(const v1::ExperimentRecord& experiment) {
  uint32_t sum = 0;
  for (const auto& [state, count] : experiment.runs_by_state()) sum += count;
  return sum;
}

TEST_CASE("An experiment counts each of its runs in exactly one state") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  const auto experiment = [&]() -> const v1::ExperimentRecord& {
    return ledger.core.state().experiments.at(ledger.At(kRun).experiment_id());
  };
  CHECK(SumOf(experiment()) == 1);
  CHECK(experiment().state() == v1::EXPERIMENT_STATE_SUBMITTED);
  ledger.Settle();
  CHECK(SumOf(experiment()) == 1);
  CHECK(experiment().state() == v1::EXPERIMENT_STATE_ACTIVE);
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_SUCCESS);
  CHECK(SumOf(experiment()) == 1);
  CHECK(experiment().state() == v1::EXPERIMENT_STATE_COMPLETED);
}

TEST_CASE("A run needs attention until it has ended and its last process is gone") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  CHECK(NeedsAttention(ledger.At(kRun)));
  REQUIRE(ledger.Cancel(kRun).ok());
  CHECK(NeedsAttention(ledger.At(kRun)));
  REQUIRE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_EXITED).ok());
  v1::Event event;
  event.mutable_rank_settled()->set_run(kRun);
  event.mutable_rank_settled()->set_epoch(1);
  REQUIRE(ledger.Apply(event).ok());
  CHECK_FALSE(NeedsAttention(ledger.At(kRun)));
  CHECK(ledger.core.state().live_runs.empty());
}

TEST_CASE("Effects name what changed, each once") {
  Ledger ledger;
  ledger.Run(kRun, Ledger::Spec(1));
  CHECK(ledger.last.changed_runs == std::vector<std::string>{kRun});
  CHECK(ledger.last.changed_experiments == std::vector<std::string>{"xaaa0001"});
  REQUIRE(ledger.Cancel(kRun).ok());
  REQUIRE(ledger.last.transitions.size() == 2);
  CHECK(Name(ledger.last.transitions[0]) == "run:queued->canceled");
  CHECK(Name(ledger.last.transitions[1]) == "experiment:submitted->canceled");
}

}  // namespace
}  // namespace ddl::coordinator
