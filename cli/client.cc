#include "cli/client.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files.h"
#include "common/names.h"
#include "common/rpc_status.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(20);    // Of one unary call.
constexpr absl::Duration kStreamLimit = absl::Seconds(60);  // Of one piece of a watch.
constexpr absl::Duration kReconnectLimit = absl::Seconds(60);
constexpr int64_t kMaxTokenBytes = 4096;

absl::Status Interrupted() { return absl::CancelledError("interrupted"); }

// Exponential from 100 ms to 1.6 s, with up to a quarter of jitter.
absl::Duration Backoff(int attempt) {
  const absl::Duration base = absl::Milliseconds(100) * (1 << std::min(attempt, 4));
  return base * (1.0 + static_cast<double>(RandomBits() % 1000) / 4000);
}

}  // namespace

Client::Client(const Arguments& arguments, Io& io)
    : io_(io),
      address_(arguments.address),
      deadline_(arguments.timeout ? absl::Now() + *arguments.timeout : absl::InfiniteFuture()),
      retry_limit_(arguments.timeout ? std::min(kRetryLimit, *arguments.timeout * 0.8)
                                     : kRetryLimit) {}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Arguments& arguments, Io& io) {
  std::unique_ptr<Client> client(new Client(arguments, io));
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!arguments.tls_ca.empty()) {
    DDL_ASSIGN_OR_RETURN(std::string roots, ReadFile(arguments.tls_ca));
    credentials = grpc::SslCredentials({.pem_root_certs = std::move(roots)});
  }
  if (!arguments.token_file.empty()) {
    auto token = ReadFile(arguments.token_file, kMaxTokenBytes);
    if (!token.ok()) return absl::UnauthenticatedError(token.status().message());
    client->token_ = std::string(absl::StripAsciiWhitespace(*token));
  }
  grpc::ChannelArguments settings;
  settings.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  settings.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  settings.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  client->channel_ = grpc::CreateCustomChannel(arguments.address, credentials, settings);
  client->experiments_ = v1::Experiments::NewStub(client->channel_);
  client->metrics_ = v1::Metrics::NewStub(client->channel_);
  DDL_RETURN_IF_ERROR(client->ExchangeVersions());
  return client;
}

absl::Status Client::ExchangeVersions() {
  DDL_ASSIGN_OR_RETURN(server_,
                       Call(&v1::Experiments::StubInterface::GetServer, v1::GetServerRequest()));
  if (server_.api_version() <= kApiVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the coordinator at ", address_, " speaks version ", server_.api_version(),
      " of the protocol, this ddl at most ", kApiVersion, "; install ddl ", server_.version()));
}

absl::Status Client::CallOnce(const std::function<grpc::Status(grpc::ClientContext*)>& call,
                              absl::Time deadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  if (!token_.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token_));
  const uint64_t listener = io_.interrupt->Add([&context] { context.TryCancel(); });
  const grpc::Status status = call(&context);
  io_.interrupt->Remove(listener);
  return FromGrpc(status);
}

absl::Status Client::Retry(const std::function<grpc::Status(grpc::ClientContext*)>& call) {
  const absl::Time until = absl::Now() + retry_limit_;
  absl::Status status;
  for (int attempt = 0;; ++attempt) {
    // An address that swallows packets looks like a slow call; a first byte settles which it is.
    const bool connected = channel_->GetState(true) == GRPC_CHANNEL_READY;
    const absl::Time limit = connected ? absl::Now() + kCallLimit : std::max(until, absl::Now());
    status = CallOnce(call, std::min(limit, deadline_));
    if (io_.interrupt->raised()) return Interrupted();
    const bool never_connected =
        absl::IsDeadlineExceeded(status) && channel_->GetState(false) != GRPC_CHANNEL_READY;
    if (never_connected) break;
    if (!absl::IsUnavailable(status)) return status;
    const absl::Duration pause = Backoff(attempt);
    if (absl::Now() + pause >= until) break;
    if (io_.interrupt->WaitFor(pause)) return Interrupted();
  }
  return absl::UnavailableError(
      absl::StrFormat("no coordinator answers at %s, tried for %.1f s: %s", address_,
                      absl::ToDoubleSeconds(retry_limit_), status.message()));
}

absl::StatusOr<std::vector<v1::Run>> Client::ListRuns(const v1::ListRunsRequest& request) {
  std::vector<v1::Run> runs;
  v1::ListRunsRequest page = request;
  do {
    DDL_ASSIGN_OR_RETURN(v1::ListRunsResponse response,
                         Call(&v1::Experiments::StubInterface::ListRuns, page));
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
                         Call(&v1::Experiments::StubInterface::ListExperiments, page));
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
  const absl::Status status = Retry([&](grpc::ClientContext* context) {
    series.clear();
    std::map<std::string, size_t> places;
    const auto reader = metrics_->GetSeries(context, request);
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

absl::Status Client::Watch(const v1::RunSelector& selector,
                           const std::function<bool(const v1::RunUpdate&)>& on_update,
                           const std::function<void(const absl::Status&)>& on_lost) {
  v1::WatchExperimentsRequest request;
  *request.mutable_selector() = selector;
  absl::Time give_up = absl::Now() + retry_limit_;
  for (int attempt = 0;; ++attempt) {
    bool go_on = true;
    const absl::Time limit = std::min(absl::Now() + kStreamLimit, deadline_);
    const absl::Status status = CallOnce(
        [&](grpc::ClientContext* context) {
          const auto reader = experiments_->WatchExperiments(context, request);
          v1::RunUpdate update;
          while (go_on && reader->Read(&update)) {
            request.set_after_version(update.version());
            go_on = on_update(update);
            attempt = 0;
            give_up = absl::Now() + std::min(kReconnectLimit, deadline_ - absl::Now());
          }
          if (!go_on) context->TryCancel();
          return reader->Finish();
        },
        limit);
    if (io_.interrupt->raised()) return Interrupted();
    if (!go_on || status.ok()) return absl::OkStatus();
    if (absl::Now() >= deadline_) {
      return absl::DeadlineExceededError("the runs had not come so far when --timeout was over");
    }
    if (absl::IsDeadlineExceeded(status)) continue;  // One piece of the watch is over.
    if (!absl::IsUnavailable(status)) return status;
    if (attempt == 1) on_lost(status);
    const absl::Duration pause = Backoff(attempt);
    if (absl::Now() + pause >= give_up) {
      return absl::UnavailableError(
          absl::StrCat("no coordinator answers at ", address_, ": ", status.message()));
    }
    if (io_.interrupt->WaitFor(pause)) return Interrupted();
  }
}

}  // namespace ddl::cli
