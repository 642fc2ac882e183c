// A run from submission to its end, over a port: the worker's side is played by the test.
#include "coordinator/service/workers_service.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

TEST_CASE(
    "a run is placed, trains, is recorded once and ends, a restart in between changes nothing") {
  RunningCoordinator coordinator;
  const std::string id = coordinator.Submit("trains", "r1");
  coordinator.AddWorker(2);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  CHECK(attempt.run() == id);
  CHECK(attempt.desired() == v1::DESIRED_RUN);
  CHECK(attempt.spec().model().d_ff() == 85);  // floor(8 * 32 / 3): the spec is resolved.
  REQUIRE(coordinator.Report(attempt, {StartedEvent(), StepEvent(1, 5.5)}).ok());
  CHECK(coordinator.Run(id).state() == "running");
  CHECK(coordinator.Run(id).step() == 1);
  CHECK(std::isnan(coordinator.Run(id).val_loss()));

  coordinator.Restart();
  CHECK(coordinator.Run(id).step() == 1);
  REQUIRE(coordinator.Report(attempt, {StepEvent(2, 5.25), ValidationEvent(2, 5.0)}).ok());
  const v1::Run run = coordinator.Run(id);
  CHECK(run.step() == 2);
  CHECK(run.tokens() == 2048);
  CHECK(run.train_loss() == 5.25);
  CHECK(run.best_val_loss() == 5.0);
  CHECK(run.attempts() == 1);
  REQUIRE(coordinator.Report(attempt, {ExitEvent(v1::EXIT_CLASS_SUCCESS, 2)}).ok());
  CHECK(coordinator.store->point_counts().ingested == 2);  // Since the restart.
  CHECK(coordinator.store->point_counts().conflicting == 0);
}

TEST_CASE("events of an attempt that does not exist are refused") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(1);
  coordinator.Submit("trains", "r1");
  v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  attempt.set_epoch(attempt.epoch() + 5);
  CHECK_FALSE(coordinator.Report(attempt, {StepEvent(1, 5.5)}).ok());
  CHECK(coordinator.store->point_counts().ingested == 0);
}

TEST_CASE("a daemon that does not know its session is told to register again") {
  RunningCoordinator coordinator;
  v1::HeartbeatRequest request;
  request.set_worker("stranger");
  request.set_session("s9");
  v1::HeartbeatResponse response;
  CHECK(RunningCoordinator::Call(coordinator.workers().get(), &v1::Workers::Stub::Heartbeat,
                                 request, &response)
            .code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("workers are listed with their slots and their last heartbeat") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(3);
  v1::ListWorkersResponse list;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(),
                                   &v1::Experiments::Stub::ListWorkers, v1::ListWorkersRequest(),
                                   &list)
              .ok());
  REQUIRE(list.workers_size() == 1);
  CHECK(list.workers(0).name() == "w1");
  CHECK(list.workers(0).state() == "ready");
  CHECK(list.workers(0).slots_free() == 3);
  CHECK(std::abs(list.workers(0).last_heartbeat().seconds() - absl::ToUnixSeconds(absl::Now())) <
        30);
}

}  // namespace
}  // namespace ddl::coordinator
