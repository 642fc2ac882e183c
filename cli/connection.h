// The connection behind Client: the channel and how a call over it is made. Included by the files
// of the client alone.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "cli/client.h"
#include "common/rpc_client.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/metrics.grpc.pb.h"

namespace ddl::cli {

// Exponential from 100 ms to 1.6 s, with up to a quarter of jitter.
absl::Duration RetryPause(int attempt);

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

}  // namespace ddl::cli
