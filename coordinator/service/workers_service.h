// The Workers RPCs: carries a daemon's reports to the commit loop. No decisions here.
#pragma once

#include "coordinator/service/call_gate.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/log_store.h"
#include "proto/ddl/v1/workers.grpc.pb.h"

namespace ddl::coordinator {

class WorkersService final : public v1::Workers::Service {
 public:
  // All outlive the service.
  WorkersService(CommitLoop* loop, LogStore* logs, CallGate* gate)
      : loop_(*loop), logs_(*logs), gate_(*gate) {}

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override;
  grpc::Status Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override;
  grpc::Status ReportEvents(grpc::ServerContext* context, const v1::ReportEventsRequest* request,
                            v1::ReportEventsResponse* response) override;
  grpc::Status CommitCheckpoint(grpc::ServerContext* context,
                                const v1::CommitCheckpointRequest* request,
                                v1::CommitCheckpointResponse* response) override;
  grpc::Status ReportLog(grpc::ServerContext* context, const v1::ReportLogRequest* request,
                         v1::ReportLogResponse* response) override;

 private:
  absl::Status TakeLog(const v1::ReportLogRequest& request, absl::Time deadline,
                       v1::ReportLogResponse* response);
  template <typename Request, typename Response>
  grpc::Status Carry(grpc::ServerContext* context, const char* method, const Request& request,
                     absl::StatusOr<Response> (Sequencer::*change)(const Request&, const Caller&),
                     Response* response);

  CommitLoop& loop_;
  LogStore& logs_;
  CallGate& gate_;
};

}  // namespace ddl::coordinator
