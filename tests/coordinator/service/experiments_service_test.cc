// What people ask of the coordinator, over a port.
#include "coordinator/service/experiments_service.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

using Stub = v1::Experiments::Stub;

v1::ListRunsResponse List(RunningCoordinator* coordinator, const v1::ListRunsRequest& request) {
  v1::ListRunsResponse response;
  const absl::Status status = RunningCoordinator::Call(coordinator->experiments().get(),
                                                       &Stub::ListRuns, request, &response);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return response;
}

TEST_CASE("the first call of a client learns versions, cluster, term and the HTTP address") {
  RunningCoordinator coordinator;
  v1::GetServerResponse first;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::GetServer,
                                   v1::GetServerRequest(), &first)
              .ok());
  CHECK(first.version() == std::string(Version()));
  CHECK(first.api_version() == kApiVersion);
  CHECK(first.http_address() == "127.0.0.1:9");
  CHECK_FALSE(first.cluster_id().empty());
  coordinator.Restart();
  v1::GetServerResponse second;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::GetServer,
                                   v1::GetServerRequest(), &second)
              .ok());
  CHECK(second.cluster_id() == first.cluster_id());
  CHECK(second.term() == first.term() + 1);
}

TEST_CASE("a repeated request_id creates nothing new, even after a restart") {
  RunningCoordinator coordinator;
  const std::string id = coordinator.Submit("once", "r1");
  CHECK(coordinator.Submit("once", "r1") == id);
  coordinator.Restart();
  CHECK(coordinator.Submit("once", "r1") == id);
  CHECK(List(&coordinator, {}).runs_size() == 1);

  v1::SubmitExperimentRequest other;
  other.set_request_id("r1");
  *other.mutable_spec() = SmallSpec("another");
  other.set_queue(true);
  v1::SubmitExperimentResponse response;
  CHECK(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::SubmitExperiment, other,
                                 &response)
            .code() == absl::StatusCode::kAlreadyExists);
}

TEST_CASE("a bad spec is refused with the field and changes nothing") {
  RunningCoordinator coordinator;
  v1::SubmitExperimentRequest request;
  request.set_request_id("r1");
  *request.mutable_spec() = SmallSpec("bad");
  request.mutable_spec()->mutable_model()->set_d_model(4);
  v1::SubmitExperimentResponse response;
  const absl::Status status = RunningCoordinator::Call(coordinator.experiments().get(),
                                                       &Stub::SubmitExperiment, request, &response);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(absl::StrContains(status.message(), "d_model"));
  CHECK(List(&coordinator, {}).runs_size() == 0);
}

TEST_CASE("while a sweep of 40,000 arms is checked, other calls are answered") {
  RunningCoordinator coordinator;
  v1::SubmitExperimentRequest request;
  request.set_request_id("large");
  request.set_queue(true);
  request.set_validate_only(true);
  *request.mutable_sweep()->mutable_base() = SmallSpec("arm");
  for (const char* path : {"optim.adamw.lr", "optim.adamw.weight_decay"}) {
    v1::SweepParameter* parameter = request.mutable_sweep()->add_parameters();
    parameter->set_path(path);
    for (int i = 1; i <= 200; ++i) parameter->add_values()->set_number_value(i * 1e-6);
  }
  std::atomic<bool> answered = false;
  const absl::Time begin = absl::Now();
  std::thread client([&] {
    grpc::ClientContext context;
    PrepareCall(&context, absl::Now() + absl::Minutes(4), {.user = "ada", .token = ""});
    v1::SubmitExperimentResponse response;
    const grpc::Status status =
        coordinator.experiments()->SubmitExperiment(&context, request, &response);
    CHECK(FromGrpc(status).ToString() == "OK");
    CHECK(response.experiment().trials() == 40'000);
    answered = true;
  });
  absl::Duration longest;
  while (!answered) {
    const absl::Time asked = absl::Now();
    List(&coordinator, {});
    longest = std::max(longest, absl::Now() - asked);
  }
  client.join();
  const absl::Duration check = absl::Now() - begin;
  INFO("the check took " << check << ", the slowest listing " << longest);
  CHECK(longest < check / 3);
}

TEST_CASE("the principal of a run is the client's user, marked unverified") {
  RunningCoordinator coordinator;
  CHECK(coordinator.Run(coordinator.Submit("mine", "r1")).user() == "unverified:ada");
}

TEST_CASE("runs are listed newest first, in pages that hold each run once") {
  RunningCoordinator coordinator;
  std::vector<std::string> newest_first;
  for (int i = 0; i < 7; ++i) {
    newest_first.insert(newest_first.begin(),
                        coordinator.Submit(absl::StrCat("run", i), absl::StrCat("r", i)));
  }
  v1::ListRunsRequest request;
  request.set_page_size(3);
  std::vector<std::string> listed;
  int pages = 0;
  do {
    const v1::ListRunsResponse page = List(&coordinator, request);
    CHECK(page.runs_size() <= 3);
    for (const v1::Run& run : page.runs()) listed.push_back(run.id());
    request.set_page_token(page.next_page_token());
    REQUIRE(++pages <= 3);
  } while (!request.page_token().empty());
  CHECK(listed == newest_first);
}

TEST_CASE("a listing filters by state, and refuses an unknown state, size and token") {
  RunningCoordinator coordinator;
  const std::string id = coordinator.Submit("one", "r1");
  v1::ListRunsRequest request;
  request.add_states("queued");
  REQUIRE(List(&coordinator, request).runs_size() == 1);
  CHECK(List(&coordinator, request).runs(0).id() == id);
  request.set_states(0, "running");
  CHECK(List(&coordinator, request).runs_size() == 0);
  v1::ListRunsResponse response;
  const auto error = [&](const v1::ListRunsRequest& bad) {
    return RunningCoordinator::Call(coordinator.experiments().get(), &Stub::ListRuns, bad,
                                    &response);
  };
  request.set_states(0, "runing");
  CHECK(absl::StrContains(error(request).message(), "did you mean running?"));
  v1::ListRunsRequest large;
  large.set_page_size(1001);
  CHECK(error(large).code() == absl::StatusCode::kInvalidArgument);
  v1::ListRunsRequest token;
  token.set_page_token("tomorrow");
  CHECK(error(token).code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a queued run is explained, canceled, and then ended") {
  RunningCoordinator coordinator;
  const std::string id = coordinator.Submit("waits", "r1");
  v1::GetQueueResponse queue;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::GetQueue,
                                   v1::GetQueueRequest(), &queue)
              .ok());
  REQUIRE(queue.entries_size() == 1);
  CHECK(queue.entries(0).run().id() == id);
  CHECK(queue.entries(0).position() == 1);
  CHECK_FALSE(queue.entries(0).why().empty());
  v1::ChangeRunsRequest cancel;
  cancel.set_request_id("c1");
  cancel.mutable_selector()->add_runs(id.substr(0, 6));
  v1::ChangeRunsResponse changed;
  REQUIRE(
      RunningCoordinator::Call(coordinator.experiments().get(), &Stub::CancelRuns, cancel, &changed)
          .ok());
  CHECK(changed.runs(0).state() == "canceled");
  CHECK(coordinator.Run(id).state() == "canceled");
  cancel.set_request_id("c2");
  CHECK(
      RunningCoordinator::Call(coordinator.experiments().get(), &Stub::CancelRuns, cancel, &changed)
          .code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("experiments are listed newest first and found by name") {
  RunningCoordinator coordinator;
  for (const char* name : {"first", "second", "third"}) coordinator.Submit(name, name);
  v1::ListExperimentsRequest request;
  request.set_page_size(2);
  v1::ListExperimentsResponse page;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::ListExperiments, request,
                                   &page)
              .ok());
  REQUIRE(page.experiments_size() == 2);
  CHECK(page.experiments(0).name() == "third");
  request.set_page_token(page.next_page_token());
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::ListExperiments, request,
                                   &page)
              .ok());
  REQUIRE(page.experiments_size() == 1);
  CHECK(page.experiments(0).name() == "first");
  CHECK(page.next_page_token().empty());
  v1::GetExperimentRequest get;
  get.set_id("second");
  v1::Experiment found;
  REQUIRE(
      RunningCoordinator::Call(coordinator.experiments().get(), &Stub::GetExperiment, get, &found)
          .ok());
  CHECK(found.name() == "second");
  get.set_id("fourth");
  CHECK(RunningCoordinator::Call(coordinator.experiments().get(), &Stub::GetExperiment, get, &found)
            .code() == absl::StatusCode::kNotFound);
}

TEST_CASE("many clients at once: each submission is there once, under load and after a restart") {
  RunningCoordinator coordinator;
  std::vector<std::thread> clients;
  std::vector<std::set<std::string>> ids(8);
  for (size_t client = 0; client < ids.size(); ++client) {
    clients.emplace_back([&, client] {
      const auto stub = coordinator.experiments();
      for (int i = 0; i < 20; ++i) {
        v1::SubmitExperimentRequest request;
        request.set_request_id(absl::StrCat("client", client, "-", i / 2));  // Each id twice.
        *request.mutable_spec() = SmallSpec("load");
        request.set_queue(true);
        v1::SubmitExperimentResponse response;
        if (RunningCoordinator::Call(stub.get(), &Stub::SubmitExperiment, request, &response)
                .ok()) {
          ids[client].insert(response.runs(0).id());
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  std::set<std::string> all;
  for (const auto& some : ids) all.insert(some.begin(), some.end());
  CHECK(all.size() == 80);
  coordinator.Restart();
  std::set<std::string> listed;
  const v1::ListRunsResponse page = List(&coordinator, {});
  for (const v1::Run& run : page.runs()) listed.insert(run.id());
  CHECK(listed == all);
}

}  // namespace
}  // namespace ddl::coordinator
