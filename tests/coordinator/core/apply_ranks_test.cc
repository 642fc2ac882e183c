#include "coordinator/core/apply.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

Ledger Gang() {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Worker("w2", 1);
  ledger.Run(kRun, Ledger::Spec(2));
  ledger.Settle();
  REQUIRE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_LAUNCHING).ok());
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Started(kRun, 1, 1).ok());
  return ledger;
}

TEST_CASE("An attempt is launching when its worker lists it and running when a rank started") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_ALLOCATED);
  REQUIRE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_LAUNCHING).ok());
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_LAUNCHING);
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_RUNNING);
  CHECK_FALSE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_LAUNCHING).ok());
}

TEST_CASE("An attempt ends when all its ranks are gone, not before") {
  Ledger ledger = Gang();
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_SUCCESS);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_RUNNING);
  REQUIRE(ledger.Exited(kRun, 1, 1, v1::EXIT_CLASS_SUCCESS).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_RUNNING);
  REQUIRE(ledger.Observe(kRun, 1, 1, v1::RANK_STATE_EXITED).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_SUCCEEDED);
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_EXITED);
}

TEST_CASE("A failing rank has its siblings killed, and its failure is the attempt's") {
  Ledger ledger = Gang();
  ledger.End(kRun, 1, 1, v1::EXIT_CLASS_USER);
  CHECK(ledger.Attempt(kRun).stop() == v1::STOP_KILL);
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_DRAINING);
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_FAILED);
  CHECK(ledger.Attempt(kRun).exit_class() == v1::EXIT_CLASS_USER);
  CHECK(ledger.At(kRun).user_failures() == 1);
  CHECK(ledger.At(kRun).infrastructure_failures() == 0);
}

TEST_CASE("A process that is gone without an exit record is an infrastructure failure") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  v1::Event event;
  event.mutable_rank_settled()->set_run(kRun);
  event.mutable_rank_settled()->set_epoch(1);
  event.mutable_rank_settled()->set_message("killed");
  CHECK_FALSE(ledger.Apply(event).ok());  // Its process may still run.
  REQUIRE(ledger.Observe(kRun, 1, 0, v1::RANK_STATE_EXITED).ok());
  CHECK(ledger.Free("w1") == 1);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_RUNNING);  // Its events may still come.
  REQUIRE(ledger.Apply(event).ok());
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
  CHECK(ledger.At(kRun).infrastructure_failures() == 1);
}

TEST_CASE("A rejected checkpoint is corrupt, and when none is left the run fails") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Commit(kRun, 1, 3).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  ledger.Settle();
  REQUIRE(ledger.Attempt(kRun).checkpoints_size() == 1);
  v1::RankEvent said;
  said.mutable_checkpoint_rejected()->set_folder(Ledger::Folder(kRun, 1, 3));
  REQUIRE(ledger.RankEvent(kRun, 2, 0, said).ok());
  CHECK(ledger.At(kRun).checkpoints(0).state() == v1::CHECKPOINT_STATE_CORRUPT);
  ledger.End(kRun, 2, 0, v1::EXIT_CLASS_CHECKPOINT);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_FAILED);
  CHECK(ledger.At(kRun).reason().find("checkpoint") == 0);
}

TEST_CASE("Metrics are no facts of the journal") {
  Ledger ledger = Gang();
  v1::RankEvent said;
  said.mutable_step()->set_step(1);
  CHECK(absl::IsInvalidArgument(ledger.RankEvent(kRun, 1, 0, said)));
}

TEST_CASE("Only the newest 32 notices are kept") {
  Ledger ledger = Gang();
  for (int i = 0; i < 40; ++i) {
    v1::RankEvent said;
    said.mutable_notice()->set_message(absl::StrCat("notice ", i));
    REQUIRE(ledger.RankEvent(kRun, 1, 0, said).ok());
  }
  REQUIRE(ledger.At(kRun).notices_size() == 32);
  CHECK(ledger.At(kRun).notices(0).message() == "notice 8");
  CHECK(ledger.At(kRun).notices(31).message() == "notice 39");
}

}  // namespace
}  // namespace ddl::coordinator
