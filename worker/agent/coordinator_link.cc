#include "worker/agent/coordinator_link.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/rpc_status.h"

namespace ddl::agent {
namespace {

constexpr absl::Duration kHeartbeatLimit = absl::Seconds(3);
constexpr absl::Duration kControlLimit = absl::Seconds(5);
constexpr absl::Duration kBatchLimit = absl::Seconds(10);
// gRPC takes a time before 1970 for the infinite future.
const absl::Time kPast = absl::FromUnixSeconds(1);

}  // namespace

class CoordinatorLink::Call {
 public:
  virtual ~Call() = default;
  virtual void Deliver() = 0;
  grpc::ClientContext context;
  grpc::Status status;
};

template <typename Response>
class CoordinatorLink::TypedCall : public Call {
 public:
  explicit TypedCall(Answer<Response> answer) : answer_(std::move(answer)) {}
  void Deliver() override { answer_(FromGrpc(status), response); }

  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  Response response;

 private:
  Answer<Response> answer_;
};

CoordinatorLink::CoordinatorLink(std::shared_ptr<grpc::Channel> channel, CallerIdentity caller)
    : stub_(v1::Workers::NewStub(std::move(channel))), caller_(std::move(caller)) {}

CoordinatorLink::~CoordinatorLink() {
  for (Call* call : calls_) call->context.TryCancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) delete static_cast<Call*>(tag);
}

template <typename Request, typename Response>
void CoordinatorLink::Begin(Method<Request, Response> method, const Request& request,
                            absl::Duration limit, Answer<Response> answer) {
  auto* call = new TypedCall<Response>(std::move(answer));  // Deleted when the queue returns it.
  calls_.insert(call);
  PrepareCall(&call->context, absl::Now() + limit, caller_);
  call->reader = (stub_.get()->*method)(&call->context, request, &queue_);
  call->reader->Finish(&call->response, &call->status, static_cast<Call*>(call));
}

void CoordinatorLink::Register(const v1::RegisterRequest& request,
                               Answer<v1::RegisterResponse> answer) {
  Begin(&v1::Workers::Stub::AsyncRegister, request, kControlLimit, std::move(answer));
}

void CoordinatorLink::Heartbeat(const v1::HeartbeatRequest& request,
                                Answer<v1::HeartbeatResponse> answer) {
  Begin(&v1::Workers::Stub::AsyncHeartbeat, request, kHeartbeatLimit, std::move(answer));
}

void CoordinatorLink::ReportEvents(const v1::ReportEventsRequest& request,
                                   Answer<v1::ReportEventsResponse> answer) {
  Begin(&v1::Workers::Stub::AsyncReportEvents, request, kBatchLimit, std::move(answer));
}

void CoordinatorLink::CommitCheckpoint(const v1::CommitCheckpointRequest& request,
                                       Answer<v1::CommitCheckpointResponse> answer) {
  Begin(&v1::Workers::Stub::AsyncCommitCheckpoint, request, kBatchLimit, std::move(answer));
}

void CoordinatorLink::ReportLog(const v1::ReportLogRequest& request,
                                Answer<v1::ReportLogResponse> answer) {
  Begin(&v1::Workers::Stub::AsyncReportLog, request, kBatchLimit, std::move(answer));
}

void CoordinatorLink::Wait(absl::Time until) {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(until)) ==
         grpc::CompletionQueue::GOT_EVENT) {
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    calls_.erase(call.get());
    call->Deliver();
    until = kPast;
  }
}

}  // namespace ddl::agent
