#include "coordinator/core/attempt_stop.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

Ledger Queued() {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  return ledger;
}

// Places the run, which must start at once, and ends it so.
void FailOnce(Ledger* ledger, v1::ExitClass exit_class) {
  ledger->Settle();
  const uint64_t epoch = ledger->At(kRun).epoch();
  REQUIRE(ledger->At(kRun).state() == v1::RUN_STATE_PLACED);
  REQUIRE(ledger->Started(kRun, epoch, 0).ok());
  ledger->End(kRun, epoch, 0, exit_class);
}

absl::Duration Delay(const Ledger& ledger) {
  return ToTime(ledger.At(kRun).not_before()) - ledger.now;
}

TEST_CASE("A run of the user's fault is restarted max_restarts times, then fails") {
  Ledger ledger = Queued();
  for (int i = 0; i < 2; ++i) {
    FailOnce(&ledger, i == 0 ? v1::EXIT_CLASS_USER : v1::EXIT_CLASS_OUT_OF_MEMORY);
    REQUIRE(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
    CHECK(Delay(ledger) == absl::Seconds(1 << i));
    ledger.now += absl::Minutes(1);
  }
  FailOnce(&ledger, v1::EXIT_CLASS_USER);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_FAILED);
  CHECK(ledger.At(kRun).attempts_size() == 3);
  CHECK(ledger.At(kRun).reason().find("user") == 0);
}

TEST_CASE("The first infrastructure retry is immediate, later ones wait 1, 2, 4 seconds") {
  Ledger ledger = Queued();
  const int seconds[] = {0, 1, 2, 4};
  for (const int expected : seconds) {
    FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
    REQUIRE(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
    CHECK(Delay(ledger) == absl::Seconds(expected));
    ledger.now += absl::Minutes(1);
  }
  FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_FAILED);
}

TEST_CASE("The budgets are separate and preemption is never counted") {
  Ledger ledger = Queued();
  for (int i = 0; i < 30; ++i) FailOnce(&ledger, v1::EXIT_CLASS_PREEMPTED);
  FailOnce(&ledger, v1::EXIT_CLASS_USER);
  ledger.now += absl::Minutes(1);
  FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
  CHECK(ledger.At(kRun).user_failures() == 1);
  CHECK(ledger.At(kRun).infrastructure_failures() == 1);
}

TEST_CASE("A backoff is at most a minute, whatever the number of failures") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  v1::ExperimentSpec spec = Ledger::Spec(1);
  spec.mutable_resources()->set_max_infrastructure_restarts(100);
  ledger.Run(kRun, spec);
  for (int i = 0; i < 40; ++i) {
    FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
    CHECK(Delay(ledger) <= absl::Seconds(60));
    ledger.now += absl::Minutes(2);
  }
  FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(Delay(ledger) == absl::Seconds(60));
}

TEST_CASE("A clock that is set back by an hour does not lengthen a backoff") {
  Ledger ledger = Queued();
  FailOnce(&ledger, v1::EXIT_CLASS_USER);
  REQUIRE(ledger.At(kRun).state() == v1::RUN_STATE_BACKOFF);
  ledger.now -= absl::Hours(1);
  ledger.Settle();
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PLACED);
}

TEST_CASE("A rank that dies while it is drained is no failure") {
  Ledger ledger = Queued();
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.Pause(kRun).ok());
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(ledger.At(kRun).state() == v1::RUN_STATE_PAUSED);
  CHECK(ledger.At(kRun).infrastructure_failures() == 0);
}

TEST_CASE("A worker that failed a run twice is excluded while another could hold it") {
  Ledger ledger = Queued();
  FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);
  FailOnce(&ledger, v1::EXIT_CLASS_INFRASTRUCTURE);  // Nowhere else to go.
  ledger.Worker("w2", 1);
  ledger.now += absl::Minutes(1);
  ledger.Settle();
  CHECK(ledger.Attempt(kRun).ranks(0).worker() == "w2");
}

TEST_CASE("A lost worker ends the attempt as lost, and the old epoch is fenced") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Worker("w2", 1);
  ledger.Run(kRun, Ledger::Spec(2));
  ledger.Settle();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  REQUIRE(ledger.WorkerState("w2", v1::WORKER_STATE_SUSPECT).ok());
  REQUIRE(ledger.WorkerState("w2", v1::WORKER_STATE_LOST).ok());
  CHECK(ledger.Attempt(kRun).stop() == v1::STOP_KILL);
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_DRAINING);
  ledger.End(kRun, 1, 0, v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_LOST);
  CHECK(absl::IsAborted(ledger.Commit(kRun, 1, 5)));
  v1::Event event;
  event.mutable_attempt_fenced()->set_run(kRun);
  event.mutable_attempt_fenced()->set_epoch(1);
  REQUIRE(ledger.Apply(event).ok());
  CHECK(ledger.Attempt(kRun).state() == v1::ATTEMPT_STATE_FENCED);
}

}  // namespace
}  // namespace ddl::coordinator
