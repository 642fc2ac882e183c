#include "coordinator/service/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/rpc_server.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

constexpr int kMaxThreads = 192;  // Of gRPC: one for each call in work, streams among them.
constexpr size_t kMaxBufferBytes = size_t{256} << 20;

absl::Status CannotListen(const std::string& address) {
  return absl::UnavailableError(absl::StrCat("cannot listen at ", address,
                                             ": the port is in use, or the address ",
                                             "is none of this host's"));
}

// A server without services of ours: gRPC adds grpc.health.v1.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartHealth(const std::string& address) {
  grpc::ServerBuilder builder;
  ApplyLimits(&builder);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return CannotListen(address);
  return server;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, CommitLoop* loop,
                                                      Store* store, LogStore* logs,
                                                      CallGate* gate) {
  std::unique_ptr<Server> server(new Server(loop, store, logs, gate));
  server->experiments_.set_http_address(options.http_address);
  server->experiments_.set_reader_patience(options.log_reader_patience);
  grpc::EnableDefaultHealthCheckService(true);
  if (IsLoopback(options.address)) grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  grpc::ServerBuilder builder;
  ApplyLimits(&builder);
  grpc::ResourceQuota quota("coordinator");
  quota.SetMaxThreads(kMaxThreads);
  quota.Resize(kMaxBufferBytes);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 4);
  int port = 0;
  builder.AddListeningPort(options.address, CredentialsOf(options.security), &port);
  builder.RegisterService(&server->experiments_);
  builder.RegisterService(&server->workers_);
  builder.RegisterService(&server->metrics_);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) {
    return CannotListen(options.address);
  }
  if (!options.health_address.empty()) {
    DDL_ASSIGN_OR_RETURN(server->health_, StartHealth(options.health_address));
  }
  server->address_ = absl::StrCat(options.address.substr(0, options.address.rfind(':')), ":", port);
  return server;
}

Server::~Server() {
  if (server_ == nullptr) return;
  loop_.feed().Close();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + absl::Seconds(2)));
  server_->Wait();
  if (health_ != nullptr) health_->Shutdown();
}

}  // namespace ddl::coordinator
