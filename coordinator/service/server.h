// The gRPC server of the coordinator: the three services, the standard health service and, on
// loopback alone, reflection.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/credentials.h"
#include "coordinator/service/call_gate.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/experiments_service.h"
#include "coordinator/service/log_store.h"
#include "coordinator/service/metrics_service.h"
#include "coordinator/service/run_reader.h"
#include "coordinator/service/series_reader.h"
#include "coordinator/service/workers_service.h"

namespace ddl::coordinator {

class Server {
 public:
  struct Options {
    std::string address;       // HOST:PORT; port 0 is a free one.
    std::string http_address;  // What GetServer names.
    // Where grpc.health.v1 alone is served, without TLS: a kubelet's probe knows none. Empty:
    // nowhere.
    std::string health_address;
    ServerSecurity security;
    absl::Duration log_reader_patience = absl::Seconds(10);  // For one message.
  };
  // kUnavailable, naming the address, when the port is in use. All pointers outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, CommitLoop* loop,
                                                       Store* store, LogStore* logs,
                                                       CallGate* gate);
  // Ends calls that are still open after two seconds.
  ~Server();

  // With the port that was taken.
  const std::string& address() const { return address_; }

 private:
  Server(CommitLoop* loop, Store* store, LogStore* logs, CallGate* gate)
      : loop_(*loop),
        runs_(loop, store),
        series_(loop, store),
        experiments_(loop, &runs_, logs, gate),
        workers_(loop, logs, gate),
        metrics_(&series_, gate) {}

  CommitLoop& loop_;
  RunReader runs_;
  SeriesReader series_;
  ExperimentsService experiments_;
  WorkersService workers_;
  MetricsService metrics_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::Server> health_;
};

}  // namespace ddl::coordinator
