// The coordinator as verbs see it: one channel, versions exchanged, every call with a deadline.
//
// UNAVAILABLE alone is retried, with jitter and for a bounded time; a call that changes something
// carries the request_id that its caller made, so a repeat is harmless. Ctrl-C cancels the call
// that is under way (kCancelled).
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/verb.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/metrics.grpc.pb.h"

namespace ddl::cli {

// How long an unreachable coordinator is waited for; --timeout makes it shorter.
inline constexpr absl::Duration kRetryLimit = absl::Seconds(10);

class Client {
 public:
  // kUnavailable after the bounded retry; kFailedPrecondition for a coordinator that speaks a newer
  // protocol. `io` must outlive the client.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Arguments& arguments, Io& io);

  const v1::GetServerResponse& server() const { return server_; }
  const std::string& address() const { return address_; }
  // Of the whole command: --timeout from its start, or infinite.
  absl::Time deadline() const { return deadline_; }

  // Any unary call of Experiments: Call(&Stub::GetRun, request).
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Experiments::StubInterface::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    return CallStub<Request, Response>(experiments_.get(), method, request);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Metrics::StubInterface::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    return CallStub<Request, Response>(metrics_.get(), method, request);
  }

  // All runs that match, newest first, over as many pages as there are.
  absl::StatusOr<std::vector<v1::Run>> ListRuns(const v1::ListRunsRequest& request);
  absl::StatusOr<std::vector<v1::Experiment>> ListExperiments();
  // The points of each named series of a run; a chunk's points follow those before it.
  absl::StatusOr<std::vector<v1::SeriesChunk>> GetSeries(const v1::GetSeriesRequest& request);

  // Calls `on_update` with the state of each selected run, then with every change, until all have
  // ended, `on_update` returns false, or the command's deadline is over (kDeadlineExceeded). A lost
  // connection is made again, from where it broke off, for up to a minute; `on_lost` hears of it.
  absl::Status Watch(const v1::RunSelector& selector,
                     const std::function<bool(const v1::RunUpdate&)>& on_update,
                     const std::function<void(const absl::Status&)>& on_lost);

 private:
  Client(const Arguments& arguments, Io& io);

  // Runs `call` with fresh contexts until it is anything but UNAVAILABLE or the limit is over.
  absl::Status Retry(const std::function<grpc::Status(grpc::ClientContext*)>& call);
  absl::Status CallOnce(const std::function<grpc::Status(grpc::ClientContext*)>& call,
                        absl::Time deadline);
  absl::Status ExchangeVersions();

  template <typename Request, typename Response, typename Stub, typename Method>
  absl::StatusOr<Response> CallStub(Stub* stub, Method method, const Request& request) {
    Response response;
    const absl::Status status = Retry([&](grpc::ClientContext* context) {
      response.Clear();
      return (stub->*method)(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }

  Io& io_;
  std::string address_;
  std::string token_;
  absl::Time deadline_;
  absl::Duration retry_limit_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Experiments::StubInterface> experiments_;
  std::unique_ptr<v1::Metrics::StubInterface> metrics_;
  v1::GetServerResponse server_;
};

}  // namespace ddl::cli
