// Recorded series and comparisons, over a port.
#include "coordinator/service/metrics_service.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

// Submits a run, trains it for two validations and returns its id.
std::string Train(RunningCoordinator* coordinator, const std::string& name, double loss) {
  const std::string id = coordinator->Submit(name, name);
  const v1::DesiredAttempt attempt = coordinator->WaitForAttempt();
  REQUIRE(attempt.run() == id);
  REQUIRE(coordinator
              ->Report(attempt, {StartedEvent(), StepEvent(1, loss + 1), ValidationEvent(1, loss),
                                 StepEvent(2, loss + 0.5), ValidationEvent(2, loss - 0.25)})
              .ok());
  return id;
}

absl::Status Read(RunningCoordinator* coordinator, const v1::GetSeriesRequest& request,
                  std::vector<v1::SeriesChunk>* chunks) {
  grpc::ClientContext context;
  PrepareCall(&context, absl::Now() + absl::Seconds(10), {});
  const auto stub = coordinator->metrics();
  const auto reader = stub->GetSeries(&context, request);
  v1::SeriesChunk chunk;
  while (reader->Read(&chunk)) chunks->push_back(chunk);
  return FromGrpc(reader->Finish());
}

TEST_CASE("a series has every point that was reported, by name of the run, in order") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(1);
  const std::string id = Train(&coordinator, "one", 5.0);
  v1::GetSeriesRequest request;
  request.set_run("one");
  request.add_names("val_loss");
  request.add_names("train_loss");
  std::vector<v1::SeriesChunk> chunks;
  REQUIRE(Read(&coordinator, request, &chunks).ok());
  REQUIRE(chunks.size() == 2);
  CHECK(chunks[0].name() == "val_loss");
  CHECK(chunks[0].run() == id);
  REQUIRE(chunks[0].points_size() == 2);
  CHECK(chunks[0].points(1).value() == 4.75);
  CHECK(chunks[0].points(1).tokens() == 2048);
  CHECK(chunks[0].points(1).active_seconds() == 0.5);
  CHECK(chunks[1].points(0).value() == 6.0);

  v1::ListSeriesRequest list;
  list.set_run(id);
  v1::ListSeriesResponse names;
  REQUIRE(RunningCoordinator::Call(coordinator.metrics().get(), &v1::Metrics::Stub::ListSeries,
                                   list, &names)
              .ok());
  REQUIRE(names.names_size() == 2);
  CHECK(names.names(0) == "train_loss");
}

TEST_CASE("an unknown run or series is not found, with the nearest name") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(1);
  Train(&coordinator, "one", 5.0);
  std::vector<v1::SeriesChunk> chunks;
  v1::GetSeriesRequest request;
  request.set_run("one");
  CHECK(Read(&coordinator, request, &chunks).code() == absl::StatusCode::kInvalidArgument);
  request.add_names("val_los");
  const absl::Status status = Read(&coordinator, request, &chunks);
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(absl::StrContains(status.message(), "did you mean val_loss?"));
  request.set_run("two");
  CHECK(Read(&coordinator, request, &chunks).code() == absl::StatusCode::kNotFound);
  CHECK(chunks.empty());
}

TEST_CASE("runs are compared from their recorded points") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(2);
  const std::string id = Train(&coordinator, "one", 5.0);
  v1::CompareRequest request;
  request.mutable_selector()->add_runs(id);
  request.add_at(2048);
  v1::Comparison comparison;
  const absl::Status status = RunningCoordinator::Call(
      coordinator.metrics().get(), &v1::Metrics::Stub::Compare, request, &comparison);
  INFO(status.ToString());
  REQUIRE(status.ok());
  REQUIRE(comparison.arms_size() == 1);
  CHECK(comparison.metric() == "val_loss");
  CHECK(comparison.arms(0).n() == 1);
  CHECK(comparison.arms(0).mean() == 4.75);
}

}  // namespace
}  // namespace ddl::coordinator
