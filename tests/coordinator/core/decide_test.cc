#include "coordinator/core/decide.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

v1::SweepSpec SweepOf(uint32_t seeds) {
  v1::SweepSpec sweep;
  sweep.set_version(1);
  sweep.set_name("s");
  sweep.set_method("grid");
  sweep.set_max_trials(100'000);
  sweep.set_max_concurrent(0);
  sweep.set_seed(1);
  sweep.mutable_base()->mutable_data()->set_path("text");
  sweep.mutable_base()->mutable_model()->set_d_model(12);
  v1::SweepParameter* parameter = sweep.add_parameters();
  parameter->set_path("seed");
  parameter->set_repeat(seeds);
  return sweep;
}

void SubmitSweep(Ledger* ledger, const v1::SweepSpec& sweep, uint32_t trials) {
  v1::Event event;
  v1::ExperimentSubmitted* fact = event.mutable_experiment_submitted();
  fact->set_id("xaaa0001");
  fact->set_name("s");
  fact->set_kind("sweep");
  fact->set_trials(trials);
  *fact->mutable_sweep() = sweep;
  REQUIRE(ledger->Apply(event).ok());
}

uint32_t CountIn(const Ledger& ledger, v1::RunState state) {
  uint32_t count = 0;
  for (const auto& [id, run] : ledger.core.state().runs) count += run.state() == state ? 1 : 0;
  return count;
}

TEST_CASE("At most 1,000 unended runs of a sweep exist, and more are made as they end") {
  Ledger ledger;
  SubmitSweep(&ledger, SweepOf(1200), 1200);
  ledger.Settle();
  CHECK(ledger.core.state().runs.size() == 1000);
  int canceled = 0;
  const std::map<std::string, v1::RunRecord> runs = ledger.core.state().runs;
  for (const auto& [id, run] : runs) {
    if (++canceled <= 50) REQUIRE(ledger.Cancel(id).ok());
  }
  ledger.Settle();
  CHECK(ledger.core.state().runs.size() == 1050);
  CHECK(CountIn(ledger, v1::RUN_STATE_QUEUED) == 1000);
}

TEST_CASE("No more than max_concurrent runs of a sweep have slots") {
  Ledger ledger;
  v1::SweepSpec sweep = SweepOf(6);
  sweep.set_max_concurrent(2);
  ledger.Worker("w1", 5);
  SubmitSweep(&ledger, sweep, 6);
  ledger.Settle();
  CHECK(CountIn(ledger, v1::RUN_STATE_PLACED) == 2);
  CHECK(ledger.Free("w1") == 3);
  std::vector<QueuedRun> held_back;
  CHECK(QueueOf(ledger.core.state(), CoreSettings(), &held_back).empty());
  CHECK(held_back.size() == 4);
}

TEST_CASE("A sweep that is halted makes no more trials") {
  Ledger ledger;
  SubmitSweep(&ledger, SweepOf(3), 3);
  v1::Event event;
  event.mutable_experiment_halted()->set_id("xaaa0001");
  event.mutable_experiment_halted()->set_expansion(v1::EXPANSION_PAUSED);
  REQUIRE(ledger.Apply(event).ok());
  ledger.Settle();
  CHECK(ledger.core.state().runs.empty());
  event.mutable_experiment_halted()->set_expansion(v1::EXPANSION_GOES_ON);
  REQUIRE(ledger.Apply(event).ok());
  ledger.Settle();
  CHECK(ledger.core.state().runs.size() == 3);
}

TEST_CASE("A new attempt is handed the committed checkpoints of its lineage, newest first") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Commit(kRun, 1, 3).ok());
  REQUIRE(ledger.Commit(kRun, 1, 6).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  ledger.Settle();
  const v1::AttemptRecord& attempt = ledger.Attempt(kRun);
  REQUIRE(attempt.epoch() == 2);
  REQUIRE(attempt.checkpoints_size() == 2);
  CHECK(attempt.checkpoints(0).step() == 6);
  CHECK(attempt.checkpoints(1).step() == 3);
  CHECK(attempt.checkpoints(0).epoch() == 1);
}

TEST_CASE("Ids are of the alphabet, new, and a function of the entropy") {
  Ledger ledger;
  IdSource a(&ledger.core.state(), 7);
  IdSource b(&ledger.core.state(), 7);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = a.Next();
    CHECK(id == b.Next());
    CHECK(id.size() == 8);
    CHECK(seen.insert(id).second);
  }
}

}  // namespace
}  // namespace ddl::coordinator
