#include "common/rpc_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_cat.h"
#include "common/version.h"

namespace ddl {

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           const ClientSecurity& security) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // What a peer may send ahead of a stream that is not read; probing would let it grow without end.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 250);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  if (!security.tls) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = security.ca;
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

void PrepareCall(grpc::ClientContext* context, absl::Time deadline, const CallerIdentity& caller) {
  context->set_deadline(absl::ToChronoTime(deadline));
  context->AddMetadata(kApiVersionKey, absl::StrCat(kApiVersion));
  if (!caller.user.empty()) context->AddMetadata(kUserKey, caller.user);
  if (!caller.token.empty()) {
    context->AddMetadata("authorization", absl::StrCat("Bearer ", caller.token));
  }
}

}  // namespace ddl
