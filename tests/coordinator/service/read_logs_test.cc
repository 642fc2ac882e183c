// Logs over a port: sent by a worker, read and followed by clients.
#include "coordinator/service/read_logs.h"

#include <catch2/catch.hpp>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

v1::ReportLogRequest Piece(const v1::DesiredAttempt& attempt, uint64_t offset,
                           const std::string& data, bool end = false) {
  v1::ReportLogRequest request;
  request.set_worker("w1");
  request.set_session("s1");
  request.set_run(attempt.run());
  request.set_epoch(attempt.epoch());
  request.set_offset(offset);
  request.set_data(data);
  request.set_end(end);
  return request;
}

absl::StatusOr<v1::ReportLogResponse> Send(const RunningCoordinator& coordinator,
                                           const v1::ReportLogRequest& request) {
  v1::ReportLogResponse response;
  const absl::Status status = RunningCoordinator::Call(
      coordinator.workers().get(), &v1::Workers::Stub::ReportLog, request, &response);
  if (!status.ok()) return status;
  return response;
}

struct Reading {
  Reading(const RunningCoordinator& coordinator, const v1::ReadLogsRequest& request,
          absl::Duration limit = absl::Seconds(30))
      : stub(coordinator.experiments()) {
    PrepareCall(&context, absl::Now() + limit, {});
    reader = stub->ReadLogs(&context, request);
  }
  // Text until the end of the stream, whose status is then in `status`.
  std::string Rest() {
    std::string text;
    v1::LogChunk chunk;
    while (reader->Read(&chunk)) {
      CHECK(chunk.offset() == next);
      next += chunk.data().size();
      text += chunk.data();
    }
    status = FromGrpc(reader->Finish());
    return text;
  }

  grpc::ClientContext context;
  std::unique_ptr<v1::Experiments::Stub> stub;
  std::unique_ptr<grpc::ClientReader<v1::LogChunk>> reader;
  uint64_t next = 0;
  absl::Status status;
};

v1::ReadLogsRequest Of(const std::string& run, bool follow) {
  v1::ReadLogsRequest request;
  request.set_run(run);
  request.set_follow(follow);
  return request;
}

TEST_CASE("a log is kept in order and read from its start or from a position") {
  RunningCoordinator coordinator;
  const std::string run = coordinator.Submit("one", "r1");
  coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  CHECK(Send(coordinator, Piece(attempt, 0, ""))->next_offset() == 0);
  CHECK(Send(coordinator, Piece(attempt, 0, "first\n"))->next_offset() == 6);
  CHECK(Send(coordinator, Piece(attempt, 0, "first\n"))->next_offset() == 6);
  CHECK(Send(coordinator, Piece(attempt, 60, "beyond"))->next_offset() == 6);
  CHECK(Send(coordinator, Piece(attempt, 6, "second\n"))->next_offset() == 13);
  CHECK(Reading(coordinator, Of(run, false)).Rest() == "first\nsecond\n");
  v1::ReadLogsRequest later = Of(run, false);
  v1::LogPosition& position = *later.add_after();
  position.set_epoch(attempt.epoch());
  position.set_offset(6);
  Reading reading(coordinator, later);
  reading.next = 6;
  CHECK(reading.Rest() == "second\n");
  coordinator.Restart();
  CHECK(Reading(coordinator, Of(run, false)).Rest() == "first\nsecond\n");
}

TEST_CASE("logs of unknown runs, attempts, ranks, workers and sessions are refused") {
  RunningCoordinator coordinator;
  const std::string run = coordinator.Submit("one", "r1");
  coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  const auto code = [&](const std::function<void(v1::ReportLogRequest*)>& change) {
    v1::ReportLogRequest request = Piece(attempt, 0, "x");
    change(&request);
    return Send(coordinator, request).status().code();
  };
  using Request = v1::ReportLogRequest;
  CHECK(code([](Request* r) { r->set_run("zzzzzzzz"); }) == absl::StatusCode::kNotFound);
  CHECK(code([](Request* r) { r->set_run("../../etc"); }) == absl::StatusCode::kNotFound);
  CHECK(code([](Request* r) { r->set_epoch(99); }) == absl::StatusCode::kNotFound);
  CHECK(code([](Request* r) { r->set_rank(1); }) == absl::StatusCode::kInvalidArgument);
  CHECK(code([](Request* r) { r->set_session("s0"); }) == absl::StatusCode::kFailedPrecondition);
  CHECK(code([](Request* r) { r->set_worker("w2"); }) == absl::StatusCode::kFailedPrecondition);
  CHECK(code([](Request* r) { r->set_data(std::string((1 << 20) + 1, 'x')); }) ==
        absl::StatusCode::kInvalidArgument);
  Reading missing(coordinator, Of("zzzzzzzz", false));
  CHECK(missing.Rest().empty());
  CHECK(missing.status.code() == absl::StatusCode::kNotFound);
  v1::ReadLogsRequest rank = Of(run, false);
  rank.add_ranks(3);
  Reading none(coordinator, rank);
  CHECK(none.Rest().empty());
  CHECK(none.status.code() == absl::StatusCode::kNotFound);
}

TEST_CASE("following goes on with what is added, and ends with the run and its log") {
  RunningCoordinator coordinator;
  const std::string run = coordinator.Submit("one", "r1");
  coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  REQUIRE(Send(coordinator, Piece(attempt, 0, "first\n")).ok());
  Reading reading(coordinator, Of(run, true));
  v1::LogChunk chunk;
  REQUIRE(reading.reader->Read(&chunk));
  CHECK(chunk.data() == "first\n");
  CHECK(chunk.attempt() == 1);
  CHECK(chunk.epoch() == attempt.epoch());
  reading.next = 6;
  REQUIRE(coordinator.Report(attempt, {StartedEvent(), ExitEvent(v1::EXIT_CLASS_SUCCESS, 1)}).ok());
  // The run may have ended by now; its log has not.
  REQUIRE(Send(coordinator, Piece(attempt, 6, "last\n", true))->complete());
  v1::HeartbeatRequest gone;  // The worker lists the attempt no more.
  gone.set_worker("w1");
  gone.set_session("s1");
  gone.set_sequence(1000);
  v1::HeartbeatResponse answer;
  REQUIRE(RunningCoordinator::Call(coordinator.workers().get(), &v1::Workers::Stub::Heartbeat, gone,
                                   &answer)
              .ok());
  CHECK(reading.Rest() == "last\n");
  CHECK(reading.status.ok());
}

TEST_CASE("a follower of a run that was canceled before it began ends at once") {
  RunningCoordinator coordinator;
  const std::string run = coordinator.Submit("one", "r1");
  Reading reading(coordinator, Of(run, true));
  v1::ChangeRunsRequest cancel;
  cancel.set_request_id("c");
  cancel.mutable_selector()->add_runs(run);
  v1::ChangeRunsResponse changed;
  REQUIRE(RunningCoordinator::Call(coordinator.experiments().get(),
                                   &v1::Experiments::Stub::CancelRuns, cancel, &changed)
              .ok());
  CHECK(reading.Rest().empty());
  CHECK(reading.status.ok());
}

TEST_CASE("a reader that does not read is cut off, and its thread serves others") {
  RunningCoordinator coordinator;  // With a patience of one second.
  const std::string run = coordinator.Submit("one", "r1");
  coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = coordinator.WaitForAttempt();
  const std::string mebibyte(1 << 20, 'x');
  for (uint64_t i = 0; i < 15; ++i)
    REQUIRE(Send(coordinator, Piece(attempt, i << 20, mebibyte)).ok());
  std::vector<std::unique_ptr<Reading>> stalled;
  for (int i = 0; i < kMaxLogReaders; ++i) {
    stalled.push_back(std::make_unique<Reading>(coordinator, Of(run, true), absl::Seconds(60)));
    v1::LogChunk chunk;
    REQUIRE(stalled.back()->reader->Read(&chunk));
    stalled.back()->next = chunk.data().size();
  }
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  for (bool served = false; !served;) {
    REQUIRE(absl::Now() < limit);
    Reading reading(coordinator, Of(run, false));
    reading.Rest();
    served = reading.status.ok();
  }
  stalled[0]->Rest();
  CHECK((stalled[0]->status.code() == absl::StatusCode::kCancelled ||
         stalled[0]->status.code() == absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace ddl::coordinator
