#include "coordinator/service/workers_service.h"

#include "common/logging.h"

namespace ddl::coordinator {

template <typename Request, typename Response>
grpc::Status WorkersService::Carry(grpc::ServerContext* context, const char* method,
                                   const Request& request,
                                   absl::StatusOr<Response> (Sequencer::*change)(const Request&,
                                                                                 const Caller&),
                                   Response* response) {
  return gate_.Serve(*context, "ddl.v1.Workers", method, [&](const ServedCall& call) {
    absl::StatusOr<Response> answer =
        loop_.Change<Response>(call.principal, call.deadline,
                               [request, change](Sequencer& sequencer, const Caller& caller) {
                                 return (sequencer.*change)(request, caller);
                               });
    if (answer.ok()) *response = *std::move(answer);
    return answer.status();
  });
}

grpc::Status WorkersService::Register(grpc::ServerContext* context,
                                      const v1::RegisterRequest* request,
                                      v1::RegisterResponse* response) {
  const grpc::Status status = Carry(context, "Register", *request, &Sequencer::Register, response);
  DDL_LOG(Info, {"trace_id", request->request_id()}, {"worker", request->worker()})
      << "register from " << context->peer() << " with " << request->slots_size() << " slots, "
      << request->inventory_size()
      << " attempts: " << (status.ok() ? "accepted" : status.error_message());
  return status;
}

grpc::Status WorkersService::Heartbeat(grpc::ServerContext* context,
                                       const v1::HeartbeatRequest* request,
                                       v1::HeartbeatResponse* response) {
  return Carry(context, "Heartbeat", *request, &Sequencer::Heartbeat, response);
}

grpc::Status WorkersService::ReportEvents(grpc::ServerContext* context,
                                          const v1::ReportEventsRequest* request,
                                          v1::ReportEventsResponse* response) {
  return Carry(context, "ReportEvents", *request, &Sequencer::ReportEvents, response);
}

grpc::Status WorkersService::CommitCheckpoint(grpc::ServerContext* context,
                                              const v1::CommitCheckpointRequest* request,
                                              v1::CommitCheckpointResponse* response) {
  return Carry(context, "CommitCheckpoint", *request, &Sequencer::CommitCheckpoint, response);
}

}  // namespace ddl::coordinator
