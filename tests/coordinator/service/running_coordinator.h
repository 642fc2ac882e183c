// A coordinator in this process, as main.cc puts it together: store in a folder of its own, commit
// loop, gRPC on a free loopback port. Clients speak to it over that port.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "common/rpc_client.h"
#include "common/rpc_status.h"
#include "coordinator/service/server.h"
#include "coordinator/store/sqlite_store.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/metrics.grpc.pb.h"
#include "proto/ddl/v1/workers.grpc.pb.h"
#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {

class RunningCoordinator {
 public:
  explicit RunningCoordinator(SequencerSettings settings = {});

  // Ends everything and starts it again on the same folder.
  void Restart();

  std::unique_ptr<v1::Experiments::Stub> experiments() const;
  std::unique_ptr<v1::Workers::Stub> workers() const;
  std::unique_ptr<v1::Metrics::Stub> metrics() const;

  // One unary call with a deadline and the user "ada".
  template <typename Service, typename Request, typename Response>
  static absl::Status Call(Service* stub,
                           grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                           const Request& request, Response* response) {
    grpc::ClientContext context;
    PrepareCall(&context, absl::Now() + absl::Seconds(20), {.user = "ada", .token = ""});
    return FromGrpc((stub->*method)(&context, request, response));
  }

  // Submits one run and returns its id.
  std::string Submit(const std::string& name, const std::string& request_id);
  // Registers worker "w1" with `slots` slots and reports an empty inventory.
  void AddWorker(uint32_t slots);
  // A heartbeat of w1 that lists what it was told to run, as running. Returns what it is told.
  v1::HeartbeatResponse Beat();
  // Beats until an attempt is desired, and lets it start.
  v1::DesiredAttempt WaitForAttempt();
  // Delivers events of rank 0; numbers them on.
  absl::Status Report(const v1::DesiredAttempt& attempt, std::vector<v1::RankEvent> events);
  v1::Run Run(const std::string& id);

  const ScratchFolder folder;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<CommitLoop> loop;
  std::unique_ptr<LogStore> logs;
  CallGate gate;
  std::unique_ptr<Server> server;

 private:
  void Start();

  const SequencerSettings settings_;
  std::shared_ptr<grpc::Channel> channel_;
  v1::HeartbeatRequest beat_;
  uint64_t next_seq_ = 1;
};

// A spec that resolves: one rank, a small model, a data folder by name.
v1::ExperimentSpec SmallSpec(const std::string& name);

v1::RankEvent StartedEvent();
v1::RankEvent StepEvent(int64_t step, double train_loss);
v1::RankEvent ValidationEvent(int64_t step, double val_loss);
v1::RankEvent ExitEvent(v1::ExitClass exit_class, int64_t step);

}  // namespace ddl::coordinator
