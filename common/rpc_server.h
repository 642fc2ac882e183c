// The server's end of every gRPC connection: limits, credentials, and the rules that hold for every
// call.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/credentials.h"

namespace ddl {

// Messages of 4 MiB, 100 streams a connection, keepalive that matches common/rpc_client.h.
void ApplyLimits(grpc::ServerBuilder* builder);

// With TLS, a call without a known token ends as UNAUTHENTICATED before its request is read; only
// grpc.health.v1 needs none, so that a probe holds no secret.
std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const ServerSecurity& security);

struct IncomingCall {
  bool has_deadline = false;
  std::string version;    // Empty: the client did not say.
  std::string principal;  // "unverified:<user>", with "#<token id>" behind it when there is one.
};
IncomingCall CallOf(const grpc::ServerContext& context);

// kInvalidArgument for a call without a deadline; kFailedPrecondition for a client of a newer
// protocol.
absl::Status CheckCall(const IncomingCall& call);

}  // namespace ddl
