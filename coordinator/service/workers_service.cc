#include "coordinator/service/workers_service.h"

#include "absl/strings/str_cat.h"
#include "common/logging.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kMaxLogBytes = 1 << 20;  // Of one call.

// A log may be reported by the worker that held the rank, also of an attempt that is over: it goes
// into a file of that attempt's own.
absl::Status CheckLog(const State& state, const v1::ReportLogRequest& request) {
  const v1::WorkerRecord* worker = FindWorker(state, request.worker());
  if (worker == nullptr || worker->session() != request.session()) {
    return absl::FailedPreconditionError(
        absl::StrCat("worker ", Quoted(request.worker()), " has no such session: register again"));
  }
  const v1::RunRecord* run = FindRun(state, request.run());
  if (run == nullptr) return absl::NotFoundError(absl::StrCat("no run ", Quoted(request.run())));
  const v1::AttemptRecord* attempt = FindAttempt(*run, request.epoch());
  if (attempt == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("run ", request.run(), " has no attempt of epoch ", request.epoch()));
  }
  if (request.rank() >= static_cast<uint32_t>(attempt->ranks_size()) ||
      attempt->ranks(static_cast<int>(request.rank())).worker() != request.worker()) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", request.rank(), " of run ",
                                                   request.run(), " is not on worker ",
                                                   request.worker()));
  }
  return absl::OkStatus();
}

}  // namespace

template <typename Request, typename Response>
grpc::Status WorkersService::Carry(grpc::ServerContext* context, const char* method,
                                   const Request& request,
                                   absl::StatusOr<Response> (Sequencer::*change)(const Request&,
                                                                                 const Caller&),
                                   Response* response) {
  return gate_.Serve(
      *context, "ddl.v1.Workers", method, [&](const ServedCall& call) -> absl::Status {
        absl::StatusOr<Response> answer =
            loop_.Change<Response>(call.principal, call.deadline,
                                   [request, change](Sequencer& sequencer, const Caller& caller) {
                                     return (sequencer.*change)(request, caller);
                                   });
        if (!answer.ok()) return answer.status();
        *response = *std::move(answer);
        return absl::OkStatus();
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

grpc::Status WorkersService::ReportLog(grpc::ServerContext* context,
                                       const v1::ReportLogRequest* request,
                                       v1::ReportLogResponse* response) {
  return gate_.Serve(*context, "ddl.v1.Workers", "ReportLog", [&](const ServedCall& call) {
    return TakeLog(*request, call.deadline, response);
  });
}

absl::Status WorkersService::TakeLog(const v1::ReportLogRequest& request, absl::Time deadline,
                                     v1::ReportLogResponse* response) {
  if (request.data().size() > kMaxLogBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("data must be at most ", kMaxLogBytes, " bytes, got ", request.data().size()));
  }
  v1::ReportLogRequest head = request;
  head.clear_data();
  const absl::StatusOr<bool> checked =
      loop_.Read<bool>(deadline, [head](const Sequencer& sequencer) -> absl::StatusOr<bool> {
        const absl::Status status = CheckLog(sequencer.core().state(), head);
        if (!status.ok()) return status;
        return true;
      });
  if (!checked.ok()) return checked.status();
  DDL_ASSIGN_OR_RETURN(const LogStore::Taken taken,
                       logs_.Append({request.run(), request.epoch(), request.rank()},
                                    request.offset(), request.data(), request.end()));
  response->set_next_offset(taken.next_offset);
  response->set_complete(taken.complete);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
