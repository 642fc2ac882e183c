// Calls that no honest client makes, and many that it does, for the tests of the whole:
//
//   ddl-probe submit ADDRESS SPEC PREFIX FIRST COUNT   one run each, request ids PREFIX-FIRST..;
//                                                      prints "request_id run microseconds"
//   ddl-probe no-deadline ADDRESS                      prints the status code's number
//   ddl-probe oversized ADDRESS                        likewise, of a request of 5 MiB
//   ddl-probe metrics ADDRESS WORKER RUN EPOCH         likewise, of a batch of one point, step 9999
//
// A submission whose reply is lost is repeated with the same request id until it is answered.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/workers.grpc.pb.h"

namespace ddl {
namespace {

using Clock = std::chrono::steady_clock;

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

int Print(const grpc::Status& status) {
  std::cout << status.error_code() << " " << status.error_message() << "\n";
  return 0;
}

// Answers to one submission, however often it has to be sent.
grpc::Status Submit(v1::Experiments::Stub& stub, const v1::SubmitExperimentRequest& request,
                    v1::SubmitExperimentResponse* response) {
  grpc::Status status;
  for (int tries = 0; tries < 600; ++tries) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    context.set_wait_for_ready(true);
    status = stub.SubmitExperiment(&context, request, response);
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE &&
        status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
      return status;
    }
  }
  return status;
}

int SubmitMany(const std::vector<std::string>& words) {
  int first = 0;
  int count = 0;
  if (words.size() != 7 || !absl::SimpleAtoi(words[5], &first) ||
      !absl::SimpleAtoi(words[6], &count)) {
    return 64;
  }
  const auto written = ReadExperimentYaml(words[3], {}, nullptr);
  const auto spec = written.ok() ? ResolveSpec(*written) : written;
  if (!spec.ok()) {
    std::cerr << spec.status() << "\n";
    return 2;
  }
  const auto stub = v1::Experiments::NewStub(Connect(words[2]));
  for (int i = first; i < first + count; ++i) {
    v1::SubmitExperimentRequest request;
    request.set_request_id(absl::StrCat(words[4], "-", i));
    *request.mutable_spec() = *spec;
    request.set_queue(true);
    v1::SubmitExperimentResponse response;
    const Clock::time_point begin = Clock::now();
    const grpc::Status status = Submit(*stub, request, &response);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    if (!status.ok() || response.runs_size() != 1) {
      Print(status);
      return 1;
    }
    std::cout << request.request_id() << " " << response.runs(0).id() << " " << took.count()
              << std::endl;
  }
  return 0;
}

int WithoutDeadline(const std::string& address) {
  const auto stub = v1::Experiments::NewStub(Connect(address));
  grpc::ClientContext context;
  v1::GetServerResponse response;
  return Print(stub->GetServer(&context, v1::GetServerRequest(), &response));
}

int Oversized(const std::string& address) {
  const auto stub = v1::Experiments::NewStub(Connect(address));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::SubmitExperimentRequest request;
  request.set_request_id("oversized");
  request.mutable_spec()->set_notes(std::string(5 << 20, 'x'));
  v1::SubmitExperimentResponse response;
  return Print(stub->SubmitExperiment(&context, request, &response));
}

int SendMetrics(const std::vector<std::string>& words) {
  uint64_t epoch = 0;
  if (words.size() != 6 || !absl::SimpleAtoi(words[5], &epoch)) return 64;
  const auto stub = v1::Workers::NewStub(Connect(words[2]));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::ReportEventsRequest request;
  request.set_worker(words[3]);
  request.set_session("of-the-probe");
  request.set_run(words[4]);
  request.set_epoch(epoch);
  v1::RankEvent* event = request.add_events();
  event->set_seq(1);
  event->mutable_step()->set_step(9999);
  v1::Sample* sample = event->mutable_step()->add_samples();
  sample->set_name("train_loss");
  sample->set_value(1.5);
  v1::ReportEventsResponse response;
  return Print(stub->ReportEvents(&context, request, &response));
}

int Main(const std::vector<std::string>& words) {
  if (words.size() > 2 && words[1] == "submit") return SubmitMany(words);
  if (words.size() > 2 && words[1] == "no-deadline") return WithoutDeadline(words[2]);
  if (words.size() > 2 && words[1] == "oversized") return Oversized(words[2]);
  if (words.size() > 2 && words[1] == "metrics") return SendMetrics(words);
  std::cerr << "see the head of tests/e2e/probe.cc\n";
  return 64;
}

}  // namespace
}  // namespace ddl

int main(int argc, char** argv) { return ddl::Main({argv, argv + argc}); }
