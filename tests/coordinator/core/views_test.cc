#include "coordinator/core/views.h"

#include <cmath>

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A run without points shows NaN losses, one with points its latest") {
  Ledger ledger;
  ledger.Run(kRun, Ledger::Spec(2));
  const v1::Run bare = RunView(ledger.At(kRun), nullptr);
  CHECK(bare.id() == kRun);
  CHECK(bare.state() == "queued");
  CHECK(bare.residual() == "ddl/4");
  CHECK(bare.ranks() == 2);
  CHECK(bare.user() == "ada");
  CHECK(std::isnan(bare.train_loss()));
  RunProgress progress;
  progress.step = 12;
  progress.val_loss = 2.5;
  const v1::Run view = RunView(ledger.At(kRun), &progress);
  CHECK(view.step() == 12);
  CHECK(view.val_loss() == 2.5);
}

TEST_CASE("An attempt names each worker once, in order of rank") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Worker("w2", 1);
  ledger.Run(kRun, Ledger::Spec(3));
  ledger.Settle();
  const v1::RunDetail detail = RunDetailView(ledger.At(kRun), nullptr);
  REQUIRE(detail.attempts_size() == 1);
  REQUIRE(detail.attempts(0).workers_size() == 2);
  CHECK(detail.attempts(0).workers(0) == "w1");
  CHECK(detail.attempts(0).state() == "allocated");
}

TEST_CASE("A worker shows its free slots and whose the others are") {
  Ledger ledger;
  ledger.Worker("w1", 3);
  ledger.Run(kRun, Ledger::Spec(2));
  ledger.Settle();
  const v1::Worker view = WorkerView(ledger.core.state().workers.at("w1"), nullptr);
  CHECK(view.slots_free() == 1);
  REQUIRE(view.runs_size() == 1);
  CHECK(view.runs(0) == kRun);
  CHECK_FALSE(view.has_last_heartbeat());
}

TEST_CASE("An experiment counts its runs by the words of their states") {
  Ledger ledger;
  ledger.Run(kRun, Ledger::Spec(1));
  const v1::Experiment view =
      ExperimentView(ledger.core.state().experiments.at(ledger.At(kRun).experiment_id()));
  CHECK(view.trials_by_state().at("queued") == 1);
  CHECK(view.state() == "submitted");
}

}  // namespace
}  // namespace ddl::coordinator
