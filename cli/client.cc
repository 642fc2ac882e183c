#include "cli/client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/credentials.h"
#include "common/names.h"
#include "common/rpc_client.h"
#include "common/rpc_status.h"
#include "common/status.h"
#include "common/version.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/metrics.grpc.pb.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(20);    // Of one unary call.
constexpr absl::Duration kStreamLimit = absl::Seconds(10);  // Of one piece of a watch.
constexpr absl::Duration kReconnectLimit = absl::Seconds(60);

absl::Status Interrupted() { return absl::CancelledError("interrupted"); }

// Exponential from 100 ms to 1.6 s, with up to a quarter of jitter.
absl::Duration Backoff(int attempt) {
  const absl::Duration base = absl::Milliseconds(100) * (1 << std::min(attempt, 4));
  return base * (1.0 + static_cast<double>(RandomBits() % 1000) / 4000);
}

}  // namespace

struct Client::Connection {
  Io& io;
  std::string address;
  CallerIdentity caller;
  absl::Time deadline;  // Of the whole command.
  absl::Duration retry_limit;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Experiments::StubInterface> experiments;
  std::unique_ptr<v1::Metrics::StubInterface> metrics;
  v1::GetServerResponse server;

  absl::Status CallOnce(const std::function<grpc::Status(grpc::ClientContext*)>& call,
                        absl::Time limit) const;
  absl::Status Retry(const std::function<grpc::Status(grpc::ClientContext*)>& call) const;

  template <typename Request, typename Response, typename Stub>
  absl::StatusOr<Response> Call(const std::unique_ptr<Stub>& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    Response response;
    const absl::Status status = Retry([&](grpc::ClientContext* context) {
      response.Clear();
      return (*stub.*method)(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
};

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
    if (io.interrupt->raised()) return Interrupted();
    const bool never_connected =
        absl::IsDeadlineExceeded(status) && channel->GetState(false) != GRPC_CHANNEL_READY;
    if (never_connected) break;
    if (!absl::IsUnavailable(status)) return status;
    const absl::Duration pause = Backoff(attempt);
    if (absl::Now() + pause >= until) break;
    if (io.interrupt->WaitFor(pause)) return Interrupted();
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
  DDL_ASSIGN_OR_RETURN(
      ClientSecurity security,
      ReadClientSecurity(arguments.address, arguments.tls_ca, arguments.token_file));
  const absl::Time deadline =
      arguments.timeout ? absl::Now() + *arguments.timeout : absl::InfiniteFuture();
  const absl::Duration retry_limit =
      arguments.timeout ? std::min(kRetryLimit, *arguments.timeout * 0.8) : kRetryLimit;
  auto channel = OpenChannel(arguments.address, security);
  auto connection = std::unique_ptr<Connection>(
      new Connection{io,
                     arguments.address,
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
        "the coordinator at ", arguments.address, " speaks version ", server.api_version(),
        " of the protocol, this ddl at most ", kApiVersion, "; install ddl ", server.version()));
  }
  return std::unique_ptr<Client>(new Client(std::move(connection)));
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
  return connection_->Call(connection_->experiments, method, request);
}

absl::StatusOr<v1::RunDetail> Client::GetRun(const std::string& run) {
  v1::GetRunRequest request;
  request.set_id(run);
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
  request.set_run(run);
  return connection_->Call(connection_->experiments, &v1::Experiments::StubInterface::GetQueue,
                           request);
}

absl::StatusOr<v1::ListSeriesResponse> Client::ListSeries(const std::string& run) {
  v1::ListSeriesRequest request;
  request.set_run(run);
  return connection_->Call(connection_->metrics, &v1::Metrics::StubInterface::ListSeries, request);
}

absl::StatusOr<v1::Comparison> Client::Compare(const v1::CompareRequest& request) {
  return connection_->Call(connection_->metrics, &v1::Metrics::StubInterface::Compare, request);
}

absl::StatusOr<std::vector<v1::Run>> Client::ListRuns(const v1::ListRunsRequest& request) {
  std::vector<v1::Run> runs;
  v1::ListRunsRequest page = request;
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

absl::StatusOr<std::vector<v1::SeriesChunk>> Client::GetSeries(
    const v1::GetSeriesRequest& request) {
  std::vector<v1::SeriesChunk> series;
  const absl::Status status = connection_->Retry([&](grpc::ClientContext* context) {
    series.clear();
    std::map<std::string, size_t> places;
    const auto reader = connection_->metrics->GetSeries(context, request);
    v1::SeriesChunk chunk;
    while (reader->Read(&chunk)) {
      const auto [place, is_new] = places.emplace(chunk.name(), series.size());
      if (is_new) {
        series.push_back(std::move(chunk));
      } else {
        series[place->second].mutable_points()->MergeFrom(chunk.points());
      }
      chunk.Clear();
    }
    return reader->Finish();
  });
  if (!status.ok()) return status;
  return series;
}

absl::Status Client::Watch(const v1::RunSelector& selector, const Watcher& watcher) {
  v1::WatchExperimentsRequest request;
  *request.mutable_selector() = selector;
  absl::Time give_up = absl::Now() + connection_->retry_limit;
  for (int attempt = 0;; ++attempt) {
    bool go_on = true;
    const absl::Time limit = std::min(absl::Now() + kStreamLimit, connection_->deadline);
    const absl::Status status = connection_->CallOnce(
        [&](grpc::ClientContext* context) {
          const auto reader = connection_->experiments->WatchExperiments(context, request);
          v1::RunUpdate update;
          while (go_on && reader->Read(&update)) {
            request.set_after_version(update.version());
            go_on = watcher.on_update(update);
            attempt = 0;
            give_up = absl::Now() + std::min(kReconnectLimit, connection_->deadline - absl::Now());
          }
          if (!go_on) context->TryCancel();
          return reader->Finish();
        },
        limit);
    if (connection_->io.interrupt->raised()) return Interrupted();
    if (!go_on || status.ok()) return absl::OkStatus();
    if (absl::Now() >= connection_->deadline) {
      return absl::DeadlineExceededError("the runs had not come so far when --timeout was over");
    }
    if (absl::IsDeadlineExceeded(status)) {  // One piece of the watch is over.
      watcher.on_pause();
      continue;
    }
    if (!absl::IsUnavailable(status)) return status;
    if (attempt == 1) watcher.on_lost(status);
    const absl::Duration pause = Backoff(attempt);
    if (absl::Now() + pause >= give_up) {
      return absl::UnavailableError(
          absl::StrCat("no coordinator answers at ", connection_->address, ": ", status.message()));
    }
    if (connection_->io.interrupt->WaitFor(pause)) return Interrupted();
  }
}

}  // namespace ddl::cli
