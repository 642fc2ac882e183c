// The client's end of every gRPC connection: channel settings, credentials and the metadata that
// each call carries.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/credentials.h"

namespace ddl {

inline constexpr char kApiVersionKey[] = "ddl-api-version";
inline constexpr char kUserKey[] = "ddl-user";
inline constexpr int kMaxMessageBytes = 4 << 20;
inline constexpr int kStreamWindowBytes = 1 << 20;

// Reconnects in 250 ms to 5 s; a silent connection is given up after 15 s.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           const ClientSecurity& security);

struct CallerIdentity {
  std::string user;   // Of the operating system; the server records it as unverified.
  std::string token;  // ClientSecurity::token.
};

// Every call has a deadline; the server refuses one without.
void PrepareCall(grpc::ClientContext* context, absl::Time deadline, const CallerIdentity& caller);

}  // namespace ddl
