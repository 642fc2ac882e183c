#include "coordinator/core/apply.h"
#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A checkpoint is committed once, under the current epoch alone") {
  Ledger ledger = RunningLedger();
  REQUIRE(ledger.Commit(kRun, 1, 10).ok());
  CHECK(absl::IsAlreadyExists(ledger.Commit(kRun, 1, 10)));
  CHECK(absl::IsFailedPrecondition(ledger.Commit(kRun, 2, 20)));
  CHECK(absl::IsNotFound(ledger.Commit("cccc0003", 1, 20)));
  CHECK(ledger.At(kRun).checkpoints_size() == 1);
}

TEST_CASE("A commit of an older epoch is refused with the current one in the message") {
  Ledger ledger = RunningLedger();
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  ledger.Settle();
  REQUIRE(ledger.At(kRun).epoch() == 2);
  const absl::Status status = ledger.Commit(kRun, 1, 10);
  CHECK(absl::IsAborted(status));
  CHECK(std::string(status.message()).find("current epoch is 2") != std::string::npos);
}

TEST_CASE("keep_last checkpoints stay, older ones are deleted and then gone") {
  Ledger ledger = RunningLedger();
  for (int64_t step = 1; step <= 5; ++step) REQUIRE(ledger.Commit(kRun, 1, step).ok());
  ledger.Settle();
  std::vector<v1::CheckpointState> states;
  for (const auto& checkpoint : ledger.At(kRun).checkpoints()) states.push_back(checkpoint.state());
  const auto kDeleting = v1::CHECKPOINT_STATE_DELETING;
  const auto kCommitted = v1::CHECKPOINT_STATE_COMMITTED;
  CHECK(states ==
        std::vector<v1::CheckpointState>{kDeleting, kDeleting, kDeleting, kCommitted, kCommitted});
  v1::Event event;
  event.mutable_checkpoint_deleted()->set_run(kRun);
  event.mutable_checkpoint_deleted()->set_folder(Ledger::Folder(kRun, 1, 1));
  REQUIRE(ledger.Apply(event).ok());
  CHECK(ledger.At(kRun).checkpoints(0).state() == v1::CHECKPOINT_STATE_GONE);
  CHECK_FALSE(ledger.Apply(event).ok());
}

TEST_CASE(
    "A run that is placed while it has checkpoints too many loses none until it has started") {
  Ledger ledger = RunningLedger();
  for (int64_t step = 1; step <= 3; ++step) REQUIRE(ledger.Commit(kRun, 1, step).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  v1::Event queued;
  queued.mutable_run_backoff_ended()->set_run(kRun);
  REQUIRE(ledger.Apply(queued).ok());
  ledger.Settle();
  REQUIRE(ledger.At(kRun).epoch() == 2);
  const auto first = [&] { return ledger.At(kRun).checkpoints(0).state(); };
  CHECK(first() == v1::CHECKPOINT_STATE_COMMITTED);
  REQUIRE(ledger.Started(kRun, 2, 0, 3).ok());
  ledger.Settle();
  CHECK(first() == v1::CHECKPOINT_STATE_DELETING);
}

TEST_CASE("A needed checkpoint cannot be retired") {
  Ledger ledger = RunningLedger();
  REQUIRE(ledger.Commit(kRun, 1, 1).ok());
  v1::Event event;
  event.mutable_checkpoint_retired()->set_run(kRun);
  event.mutable_checkpoint_retired()->set_folder(Ledger::Folder(kRun, 1, 1));
  CHECK(absl::IsFailedPrecondition(ledger.Apply(event)));
}

TEST_CASE("A commit ends the row of failures, so that the next retry is immediate") {
  Ledger ledger = RunningLedger();
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  ledger.Settle();
  REQUIRE(ledger.At(kRun).failures_in_a_row() == 1);
  REQUIRE(ledger.Commit(kRun, 2, 4).ok());
  CHECK(ledger.At(kRun).failures_in_a_row() == 0);
  CHECK(ledger.At(kRun).infrastructure_failures() == 1);
}

}  // namespace
}  // namespace ddl::coordinator
