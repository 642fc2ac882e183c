// The whole page after a run has lived: every family that the coordinator owns is fed.
#include "coordinator/web/scrape.h"

#include <catch2/catch.hpp>
#include <set>

#include "common/metric_table.h"
#include "tests/coordinator/service/running_coordinator.h"
#include "tests/coordinator/web/samples.h"

namespace ddl::coordinator {
namespace {

void SubmitSweep(RunningCoordinator* coordinator) {
  v1::SubmitExperimentRequest request;
  request.set_request_id("sweep");
  *request.mutable_sweep()->mutable_base() = SmallSpec("arm");
  v1::SweepParameter& seeds = *request.mutable_sweep()->add_parameters();
  seeds.set_path("seed");
  seeds.set_repeat(2);
  request.set_queue(true);
  v1::SubmitExperimentResponse response;
  const absl::Status status =
      RunningCoordinator::Call(coordinator->experiments().get(),
                               &v1::Experiments::Stub::SubmitExperiment, request, &response);
  INFO(status.ToString());
  REQUIRE(status.ok());
}

TEST_CASE("after a run has lived, every family of the coordinator is there, and no other") {
  RunningCoordinator coordinator;
  SubmitSweep(&coordinator);
  coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  REQUIRE(coordinator
              .Report(attempt, {StartedEvent(), StepEvent(1, 5.5), ValidationEvent(1, 5.0),
                                StepEvent(100, 4.5), ValidationEvent(100, 4.25)})
              .ok());
  v1::CommitCheckpointRequest commit;
  commit.set_request_id("c1");
  commit.set_worker("w1");
  commit.set_session("s1");
  commit.set_run(attempt.run());
  commit.set_epoch(attempt.epoch());
  commit.mutable_checkpoint()->set_step(100);
  commit.mutable_checkpoint()->set_folder(attempt.run() + "/e" + std::to_string(attempt.epoch()) +
                                          "/step-100");
  commit.mutable_checkpoint()->set_manifest_sha256(std::string(64, 'b'));
  v1::CommitCheckpointResponse committed;
  REQUIRE(RunningCoordinator::Call(coordinator.workers().get(),
                                   &v1::Workers::Stub::CommitCheckpoint, commit, &committed)
              .ok());
  REQUIRE(coordinator.Report(attempt, {ExitEvent(v1::EXIT_CLASS_SUCCESS, 100)}).ok());

  Scrape scrape(coordinator.loop.get(), coordinator.store.get(), &coordinator.gate);
  const auto families = scrape.Families(absl::Now(), absl::Now() + absl::Seconds(10));
  INFO(families.status().ToString());
  REQUIRE(families.ok());
  std::set<std::string> there;
  for (const prometheus::MetricFamily& family : *families) {
    INFO(family.name);
    CHECK(there.insert(family.name).second);
    CHECK_FALSE(family.metric.empty());
    CHECK(FindMetric(family.name)->owner != MetricOwner::kWorker);
  }
  there.insert("ddl_run_end_timestamp_seconds");  // Only once the worker has let go of the rank.
  for (const MetricRow& row : MetricTable()) {
    if (row.owner == MetricOwner::kWorker) continue;
    INFO(row.name);
    CHECK(there.count(std::string(row.name)) == 1);
  }
  const auto samples = Samples(*families);
  CHECK(samples.at("ddl_points_ingested_total{}") == 4);
  CHECK(samples.at("ddl_run_best_val_loss{" + attempt.run() + "}") == 4.25);
  CHECK(samples.at("ddl_run_milestone_val_loss{" + attempt.run() + ",100000}") == 5.0);
  CHECK(samples.at("ddl_checkpoint_last_step{" + attempt.run() + "}") == 100);
}

}  // namespace
}  // namespace ddl::coordinator
