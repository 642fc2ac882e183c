// Watching runs over a port.
#include "coordinator/service/watch.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

struct Watching {
  grpc::ClientContext context;
  std::unique_ptr<v1::Experiments::Stub> stub;
  std::unique_ptr<grpc::ClientReader<v1::RunUpdate>> reader;

  Watching(const RunningCoordinator& coordinator, uint64_t after, absl::Duration limit)
      : stub(coordinator.experiments()) {
    PrepareCall(&context, absl::Now() + limit, {});
    v1::WatchExperimentsRequest request;
    request.set_after_version(after);
    reader = stub->WatchExperiments(&context, request);
  }
};

void Cancel(RunningCoordinator* coordinator, const std::string& id) {
  v1::ChangeRunsRequest cancel;
  cancel.set_request_id("cancel-" + id);
  cancel.mutable_selector()->add_runs(id);
  v1::ChangeRunsResponse changed;
  REQUIRE(RunningCoordinator::Call(coordinator->experiments().get(),
                                   &v1::Experiments::Stub::CancelRuns, cancel, &changed)
              .ok());
}

TEST_CASE("a watch tells the present state first, then each change, and ends with the last run") {
  RunningCoordinator coordinator;
  const std::string one = coordinator.Submit("one", "r1");
  const std::string two = coordinator.Submit("two", "r2");
  Watching watch(coordinator, 0, absl::Seconds(20));
  v1::RunUpdate update;
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().id() == one);
  CHECK(update.remaining() == 2);
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().id() == two);
  const uint64_t before = update.version();
  Cancel(&coordinator, one);
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().id() == one);
  CHECK(update.run().state() == "canceled");
  CHECK(update.version() > before);
  CHECK(update.remaining() == 1);
  Cancel(&coordinator, two);
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().id() == two);
  CHECK(update.remaining() == 0);
  CHECK_FALSE(watch.reader->Read(&update));
  CHECK(watch.reader->Finish().ok());
}

TEST_CASE("a watch that resumes after a version hears only of later changes") {
  RunningCoordinator coordinator;
  const std::string one = coordinator.Submit("one", "r1");
  const std::string two = coordinator.Submit("two", "r2");
  uint64_t version = 0;
  {
    Watching first(coordinator, 0, absl::Seconds(20));
    v1::RunUpdate update;
    for (int i = 0; i < 2; ++i) REQUIRE(first.reader->Read(&update));
    version = update.version();
    first.context.TryCancel();
  }
  Cancel(&coordinator, two);
  Watching resumed(coordinator, version, absl::Seconds(20));
  v1::RunUpdate update;
  REQUIRE(resumed.reader->Read(&update));
  CHECK(update.run().id() == two);
  CHECK(update.run().state() == "canceled");
  resumed.context.TryCancel();
}

TEST_CASE("progress of a live run is told without a change of its state") {
  RunningCoordinator coordinator;
  coordinator.AddWorker(1);
  coordinator.Submit("one", "r1");
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  REQUIRE(coordinator.Report(attempt, {StartedEvent(), StepEvent(1, 5.0)}).ok());
  Watching watch(coordinator, 0, absl::Seconds(20));
  v1::RunUpdate update;
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().step() == 1);
  REQUIRE(coordinator.Report(attempt, {StepEvent(2, 4.0)}).ok());
  REQUIRE(watch.reader->Read(&update));
  CHECK(update.run().step() == 2);
  CHECK(update.run().train_loss() == 4.0);
  watch.context.TryCancel();
}

TEST_CASE("a watch ends at its deadline, and when the coordinator ends") {
  RunningCoordinator coordinator;
  coordinator.Submit("one", "r1");
  v1::RunUpdate update;
  Watching brief(coordinator, 0, absl::Milliseconds(300));
  while (brief.reader->Read(&update)) continue;
  CHECK(brief.reader->Finish().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  Watching cut(coordinator, 0, absl::Seconds(20));
  REQUIRE(cut.reader->Read(&update));
  std::thread end([&] { coordinator.server.reset(); });
  while (cut.reader->Read(&update)) continue;
  CHECK(cut.reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  end.join();
}

TEST_CASE("the number of watchers has a limit") {
  std::atomic<int> taken = kMaxWatchers - 1;
  const StreamPlace last(&taken, kMaxWatchers);
  CHECK(last.granted());
  {
    const StreamPlace beyond(&taken, kMaxWatchers);
    CHECK_FALSE(beyond.granted());
  }
  CHECK(taken == kMaxWatchers);
}

}  // namespace
}  // namespace ddl::coordinator
