#include "tests/coordinator/core/service_model.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A registration is checked: name, slots, cluster") {
  ServiceModel model;
  CHECK(absl::IsInvalidArgument(model.Register(model.Registration("../w", 1)).status()));
  CHECK(absl::IsInvalidArgument(model.Register(model.Registration("w1", 0)).status()));
  v1::RegisterRequest other = model.Registration("w1", 1);
  other.set_cluster_id("another");
  CHECK(absl::IsFailedPrecondition(model.Register(other).status()));
  other = model.Registration("w1", 1);
  other.set_cluster_id(model.sequencer->core().state().cluster_id);
  CHECK(model.Register(other).ok());
}

TEST_CASE("Two live hosts cannot share a name, a restarted daemon keeps it") {
  ServiceModel model;
  model.Worker("w1", 1);
  CHECK(absl::IsAlreadyExists(
      model.Register(model.Registration("w1", 1, "s2", "another-boot")).status()));
  CHECK(model.Register(model.Registration("w1", 1, "s2")).ok());
  CHECK(absl::IsAlreadyExists(model.Register(model.Registration("w1", 1, "s1")).status()));
  model.Pass(absl::Seconds(11));
  CHECK(model.Register(model.Registration("w1", 1, "s3", "another-boot")).ok());
}

TEST_CASE("Repeating a registration of the same session changes nothing") {
  ServiceModel model;
  model.Worker("w1", 1);
  const uint64_t version = model.sequencer->core().state().version;
  CHECK(model.Register(model.Registration("w1", 1)).ok());
  CHECK(model.sequencer->core().state().version == version);
}

TEST_CASE("A heartbeat of an unknown session asks for a registration, an old one is ignored") {
  ServiceModel model;
  CHECK(absl::IsFailedPrecondition(model.Beat("w1").status()));
  model.Worker("w1", 1);
  CHECK(absl::IsFailedPrecondition(model.Beat("w1", "s2").status()));
  REQUIRE(model.Beat("w1").ok());
  model.sequence -= 2;
  CHECK(absl::IsAborted(model.Beat("w1").status()));
}

TEST_CASE("A placement is in the answer to the next heartbeat") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  const auto response = model.Beat("w1");
  REQUIRE(response.ok());
  REQUIRE(response->desired_size() == 1);
  CHECK(response->desired(0).run() == run);
  CHECK(response->desired(0).desired() == v1::DESIRED_RUN);
}

TEST_CASE("A heartbeat from before this term says nothing about what is gone") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  model.Hold(run, 1, v1::RANK_STATE_RUNNING);
  REQUIRE(model.Beat("w1").ok());
  REQUIRE(model.sequencer->Flush().ok());
  model.Restart();
  v1::HeartbeatRequest request;
  request.set_worker("w1");
  request.set_session("s1");
  request.set_sequence(1);
  request.set_term_seen(1);  // Sent to the last term, without the attempt.
  REQUIRE(model.sequencer->Heartbeat(request, model.As("w1")).ok());
  CHECK(LiveAttempt(model.sequencer->core().state().runs.at(run)) != nullptr);
  request.set_sequence(2);
  request.set_term_seen(2);
  REQUIRE(model.sequencer->Heartbeat(request, model.As("w1")).ok());
  CHECK(FindAttempt(model.sequencer->core().state().runs.at(run), 1)->state() ==
        v1::ATTEMPT_STATE_FAILED);
}

TEST_CASE("A worker that has seen a later term is told to hold") {
  ServiceModel model;
  model.Worker("w1", 1);
  v1::HeartbeatRequest request;
  request.set_worker("w1");
  request.set_session("s1");
  request.set_sequence(100);
  request.set_term_seen(9);
  const auto response = model.sequencer->Heartbeat(request, model.As("w1"));
  REQUIRE(response.ok());
  CHECK(response->hold());
}

TEST_CASE("Events are applied once: repeats are dropped, a gap is refused") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  const auto report = [&](uint64_t first, uint64_t last) {
    return model.sequencer->ReportEvents(model.Report(run, 1, first, last), model.As("w1"));
  };
  CHECK(report(1, 3)->durable_seq() == 3);
  CHECK(report(2, 5)->durable_seq() == 5);
  CHECK(report(1, 5)->durable_seq() == 5);
  const absl::Status gap = report(7, 8).status();
  CHECK(absl::IsFailedPrecondition(gap));
  CHECK(std::string(gap.message()).find("seq 6") != std::string::npos);
  REQUIRE(model.sequencer->Flush().ok());
  std::vector<int64_t> steps;
  for (const MetricRecords& records : model.store.metrics) {
    for (const v1::StepRecord& record : records.records) steps.push_back(record.step());
  }
  CHECK(steps == std::vector<int64_t>{1, 2, 3, 4, 5});
  model.Restart();
  CHECK(report(4, 6)->durable_seq() == 6);
}

TEST_CASE("An older epoch is refused with the current one, whatever it brings") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  model.Hold(run, 1, v1::RANK_STATE_RUNNING);
  REQUIRE(model.Beat("w1").ok());
  model.inventory.Clear();
  REQUIRE(model.Beat("w1").ok());  // Gone; the next attempt is placed at once.
  REQUIRE(model.sequencer->core().state().runs.at(run).epoch() == 2);
  const absl::Status status =
      model.sequencer->ReportEvents(model.Report(run, 1, 1, 1), model.As("w1")).status();
  CHECK(absl::IsAborted(status));
  CHECK(std::string(status.message()).find("current epoch is 2") != std::string::npos);
  REQUIRE(model.sequencer->Flush().ok());
  CHECK(model.store.metrics.empty());
}

TEST_CASE("A checkpoint is committed below the attempt's own folder, and a repeat is harmless") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  v1::CommitCheckpointRequest request;
  request.set_request_id("c1");
  request.set_worker("w1");
  request.set_session("s1");
  request.set_run(run);
  request.set_epoch(1);
  request.mutable_checkpoint()->set_step(4);
  request.mutable_checkpoint()->set_folder(absl::StrCat(run, "/e2/step-4"));
  request.mutable_checkpoint()->set_manifest_sha256(std::string(64, '0'));
  const auto commit = [&] { return model.sequencer->CommitCheckpoint(request, model.As("w1")); };
  CHECK(absl::IsInvalidArgument(commit().status()));
  request.mutable_checkpoint()->set_folder(absl::StrCat(run, "/e1/step-4"));
  CHECK(commit().ok());
  CHECK(commit().ok());
  request.set_request_id("c2");
  CHECK(commit().ok());
  CHECK(model.sequencer->core().state().runs.at(run).checkpoints_size() == 1);
  request.set_request_id("c3");
  request.mutable_checkpoint()->set_manifest_sha256(std::string(64, '1'));
  CHECK(absl::IsInvalidArgument(commit().status()));
  request.set_epoch(0);
  CHECK(absl::IsAborted(commit().status()));
}

TEST_CASE("A rank is spoken for by its own worker alone, in batches of at most 1,000") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  model.Worker("w2", 1);
  v1::ReportEventsRequest request = model.Report(run, 1, 1, 1);
  request.set_worker("w2");
  CHECK(absl::IsInvalidArgument(model.sequencer->ReportEvents(request, model.As("w2")).status()));
  CHECK(absl::IsInvalidArgument(
      model.sequencer->ReportEvents(model.Report(run, 1, 1, 1001), model.As("w1")).status()));
}

TEST_CASE("Deletions are confirmed without a rank") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  v1::ReportEventsRequest request;
  request.set_worker("w1");
  request.set_session("s1");
  request.set_run(run);
  request.add_deleted()->set_run(run);
  CHECK(model.sequencer->ReportEvents(request, model.As("w1")).ok());
}

}  // namespace
}  // namespace ddl::coordinator
