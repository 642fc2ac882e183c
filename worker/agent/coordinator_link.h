// The worker's calls to the coordinator: started here, answered in Wait, all on one thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>

#include <functional>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc_client.h"
#include "proto/ddl/v1/workers.grpc.pb.h"

namespace ddl::agent {

template <typename Response>
using Answer = std::function<void(const absl::Status&, const Response&)>;

class CoordinatorLink {
 public:
  CoordinatorLink(std::shared_ptr<grpc::Channel> channel, CallerIdentity caller);
  // Cancels the calls under way; their answers are not delivered.
  ~CoordinatorLink();
  CoordinatorLink(const CoordinatorLink&) = delete;
  CoordinatorLink& operator=(const CoordinatorLink&) = delete;

  void Register(const v1::RegisterRequest& request, Answer<v1::RegisterResponse> answer);
  void Heartbeat(const v1::HeartbeatRequest& request, Answer<v1::HeartbeatResponse> answer);
  void ReportEvents(const v1::ReportEventsRequest& request,
                    Answer<v1::ReportEventsResponse> answer);
  void CommitCheckpoint(const v1::CommitCheckpointRequest& request,
                        Answer<v1::CommitCheckpointResponse> answer);
  void ReportLog(const v1::ReportLogRequest& request, Answer<v1::ReportLogResponse> answer);

  // Delivers answers until none is left that is there already. Blocks for the first one, at most
  // until `until`.
  void Wait(absl::Time until);

 private:
  class Call;
  template <typename Response>
  class TypedCall;
  template <typename Request, typename Response>
  using Method = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (v1::Workers::Stub::*)(
      grpc::ClientContext*, const Request&, grpc::CompletionQueue*);
  template <typename Request, typename Response>
  void Begin(Method<Request, Response> method, const Request& request, absl::Duration limit,
             Answer<Response> answer);

  std::unique_ptr<v1::Workers::Stub> stub_;
  CallerIdentity caller_;
  grpc::CompletionQueue queue_;
  std::set<Call*> calls_;  // Under way; deleted when answered.
};

}  // namespace ddl::agent
