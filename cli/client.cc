#include "cli/client.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/contexts.h"
#include "common/credentials.h"
#include "common/names.h"
#include "common/rpc_status.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(20);  // Of one unary call.
constexpr char kBestRun[] = "@best";

}  // namespace

absl::Duration RetryPause(int attempt) {
  const absl::Duration base = absl::Milliseconds(100) * (1 << std::min(attempt, 4));
  return base * (1.0 + static_cast<double>(RandomBits() % 1000) / 4000);
}

absl::Status Client::Connection::CallOnce(
    const std::function<grpc::Status(grpc::ClientContext*)>& call, absl::Time limit) const {
  grpc::ClientContext context;
  PrepareCall(&context, limit, caller);
  const uint64_t listener = io.interrupt->Add([&context] { context.TryCancel(); });
  const grpc::Status status = call(&context);
  io.interrupt->Remove(listener);
  return FromGrpc(status);
}

absl::Status Client::Connection::Retry(
    const std::function<grpc::Status(grpc::ClientContext*)>& call) const {
  const absl::Time until = absl::Now() + retry_limit;
  absl::Status status;
  for (int attempt = 0;; ++attempt) {
    // An address that swallows packets looks like a slow call: without a connection there is no
    // more time than the retry has.
    const bool connected = channel->GetState(true) == GRPC_CHANNEL_READY;
    status = CallOnce(call, std::min(connected ? absl::Now() + kCallLimit : until, deadline));
    if (io.interrupt->raised()) return absl::CancelledError("interrupted");
    const bool never_connected =
        absl::IsDeadlineExceeded(status) && channel->GetState(false) != GRPC_CHANNEL_READY;
    if (never_connected) break;
    if (!absl::IsUnavailable(status)) return status;
    const absl::Duration pause = RetryPause(attempt);
    if (absl::Now() + pause >= until) break;
    if (io.interrupt->WaitFor(pause)) return absl::CancelledError("interrupted");
  }
  return absl::UnavailableError(
      absl::StrFormat("no coordinator answers at %s, tried for %.1f s: %s", address,
                      absl::ToDoubleSeconds(retry_limit), status.message()));
}

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;
const v1::GetServerResponse& Client::server() const { return connection_->server; }
const std::string& Client::address() const { return connection_->address; }

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const Endpoint endpoint, EndpointOf(arguments, io));
  DDL_ASSIGN_OR_RETURN(ClientSecurity security,
                       ReadClientSecurity(endpoint.address, endpoint.tls_ca, endpoint.token_file));
  const absl::Time deadline =
      arguments.timeout ? absl::Now() + *arguments.timeout : absl::InfiniteFuture();
  const absl::Duration retry_limit =
      arguments.timeout ? std::min(kRetryLimit, *arguments.timeout * 0.8) : kRetryLimit;
  auto channel = OpenChannel(endpoint.address, security);
  auto connection = std::unique_ptr<Connection>(
      new Connection{io,
                     endpoint.address,
                     {.user = io.Env("USER"), .token = std::move(security.token)},
                     deadline,
                     retry_limit,
                     channel,
                     v1::Experiments::NewStub(channel),
                     v1::Metrics::NewStub(channel),
                     {}});
  DDL_ASSIGN_OR_RETURN(
      connection->server,
      connection->Call(connection->experiments, &v1::Experiments::StubInterface::GetServer,
                       v1::GetServerRequest()));
  const v1::GetServerResponse& server = connection->server;
  if (server.api_version() > kApiVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the coordinator at ", endpoint.address, " speaks version ", server.api_version(),
        " of the protocol, this ddl at most ", kApiVersion, "; install ddl ", server.version()));
  }
  return std::unique_ptr<Client>(new Client(std::move(connection)));
}

absl::StatusOr<std::string> Client::Named(const std::string& word) {
  v1::RunSelector selector;
  selector.add_runs(word);
  DDL_ASSIGN_OR_RETURN(selector, Named(selector));
  return selector.runs(0);
}

absl::StatusOr<v1::RunSelector> Client::Named(const v1::RunSelector& selector) {
  v1::RunSelector named = selector;
  const auto best = std::find(named.runs().begin(), named.runs().end(), kBestRun);
  if (best == named.runs().end()) return named;
  v1::ListRunsRequest request;
  *request.mutable_selector() = selector;
  request.mutable_selector()->clear_runs();
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> runs, ListRuns(request));
  const v1::Run* winner = nullptr;
  for (const v1::Run& run : runs) {
    if (!std::isfinite(run.best_val_loss())) continue;
    if (winner == nullptr || run.best_val_loss() < winner->best_val_loss()) winner = &run;
  }
  if (winner == nullptr) {
    return absl::NotFoundError(
        absl::StrCat(kBestRun, ": no run has a validation loss", runs.empty() ? "" : " yet"));
  }
  for (std::string& word : *named.mutable_runs()) {
    if (word == kBestRun) word = winner->id();
  }
  return named;
}

absl::StatusOr<v1::SubmitExperimentResponse> Client::Submit(
    const v1::SubmitExperimentRequest& request) {
  return connection_->Call(connection_->experiments,
                           &v1::Experiments::StubInterface::SubmitExperiment, request);
}

absl::StatusOr<v1::ChangeRunsResponse> Client::Change(RunChange change,
                                                      const v1::ChangeRunsRequest& request) {
  using Stub = v1::Experiments::StubInterface;
  const auto method = change == RunChange::kCancel  ? &Stub::CancelRuns
                      : change == RunChange::kPause ? &Stub::PauseRuns
                                                    : &Stub::ResumeRuns;
  v1::ChangeRunsRequest named = request;
  DDL_ASSIGN_OR_RETURN(*named.mutable_selector(), Named(request.selector()));
  return connection_->Call(connection_->experiments, method, named);
}

absl::StatusOr<v1::RunDetail> Client::GetRun(const std::string& run) {
  v1::GetRunRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_id(), Named(run));
  return connection_->Call(connection_->experiments, &v1::Experiments::StubInterface::GetRun,
                           request);
}

absl::StatusOr<v1::Experiment> Client::GetExperiment(const std::string& experiment) {
  v1::GetExperimentRequest request;
  request.set_id(experiment);
  return connection_->Call(connection_->experiments, &v1::Experiments::StubInterface::GetExperiment,
                           request);
}

absl::StatusOr<v1::ListWorkersResponse> Client::ListWorkers() {
  return connection_->Call(connection_->experiments, &v1::Experiments::StubInterface::ListWorkers,
                           v1::ListWorkersRequest());
}

absl::StatusOr<v1::GetQueueResponse> Client::GetQueue(const std::string& run) {
  v1::GetQueueRequest request;
  if (!run.empty()) {
    DDL_ASSIGN_OR_RETURN(*request.mutable_run(), Named(run));
  }
  return connection_->Call(connection_->experiments, &v1::Experiments::StubInterface::GetQueue,
                           request);
}

absl::StatusOr<v1::ListSeriesResponse> Client::ListSeries(const std::string& run) {
  v1::ListSeriesRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_run(), Named(run));
  return connection_->Call(connection_->metrics, &v1::Metrics::StubInterface::ListSeries, request);
}

absl::StatusOr<v1::Comparison> Client::Compare(const v1::CompareRequest& request) {
  v1::CompareRequest named = request;
  DDL_ASSIGN_OR_RETURN(*named.mutable_selector(), Named(request.selector()));
  return connection_->Call(connection_->metrics, &v1::Metrics::StubInterface::Compare, named);
}

absl::StatusOr<std::vector<v1::Run>> Client::ListRuns(const v1::ListRunsRequest& request) {
  std::vector<v1::Run> runs;
  v1::ListRunsRequest page = request;
  DDL_ASSIGN_OR_RETURN(*page.mutable_selector(), Named(request.selector()));
  do {
    DDL_ASSIGN_OR_RETURN(v1::ListRunsResponse response,
                         connection_->Call(connection_->experiments,
                                           &v1::Experiments::StubInterface::ListRuns, page));
    for (v1::Run& run : *response.mutable_runs()) runs.push_back(std::move(run));
    page.set_page_token(response.next_page_token());
  } while (!page.page_token().empty());
  return runs;
}

absl::StatusOr<std::vector<v1::Experiment>> Client::ListExperiments() {
  std::vector<v1::Experiment> experiments;
  v1::ListExperimentsRequest page;
  do {
    DDL_ASSIGN_OR_RETURN(v1::ListExperimentsResponse response,
                         connection_->Call(connection_->experiments,
                                           &v1::Experiments::StubInterface::ListExperiments, page));
    for (v1::Experiment& one : *response.mutable_experiments()) {
      experiments.push_back(std::move(one));
    }
    page.set_page_token(response.next_page_token());
  } while (!page.page_token().empty());
  return experiments;
}

}  // namespace ddl::cli
