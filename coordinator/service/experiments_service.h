// The Experiments RPCs: carries requests to the commit loop and answers back. No decisions here.
#pragma once

#include <atomic>
#include <string>

#include "coordinator/service/call_gate.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/log_store.h"
#include "coordinator/service/run_reader.h"
#include "proto/ddl/v1/experiments.grpc.pb.h"

namespace ddl::coordinator {

class ExperimentsService final : public v1::Experiments::Service {
 public:
  // All outlive the service.
  ExperimentsService(CommitLoop* loop, RunReader* runs, LogStore* logs, CallGate* gate)
      : loop_(*loop), runs_(*runs), logs_(*logs), gate_(*gate) {}

  // Known once HTTP listens, before gRPC does.
  void set_http_address(std::string address) { http_address_ = std::move(address); }
  // How long one message to a reader of logs may take.
  void set_reader_patience(absl::Duration patience) { reader_patience_ = patience; }

  grpc::Status GetServer(grpc::ServerContext* context, const v1::GetServerRequest* request,
                         v1::GetServerResponse* response) override;
  grpc::Status SubmitExperiment(grpc::ServerContext* context,
                                const v1::SubmitExperimentRequest* request,
                                v1::SubmitExperimentResponse* response) override;
  grpc::Status GetExperiment(grpc::ServerContext* context, const v1::GetExperimentRequest* request,
                             v1::Experiment* response) override;
  grpc::Status ListExperiments(grpc::ServerContext* context,
                               const v1::ListExperimentsRequest* request,
                               v1::ListExperimentsResponse* response) override;
  grpc::Status GetRun(grpc::ServerContext* context, const v1::GetRunRequest* request,
                      v1::RunDetail* response) override;
  grpc::Status ListRuns(grpc::ServerContext* context, const v1::ListRunsRequest* request,
                        v1::ListRunsResponse* response) override;
  grpc::Status CancelRuns(grpc::ServerContext* context, const v1::ChangeRunsRequest* request,
                          v1::ChangeRunsResponse* response) override;
  grpc::Status PauseRuns(grpc::ServerContext* context, const v1::ChangeRunsRequest* request,
                         v1::ChangeRunsResponse* response) override;
  grpc::Status ResumeRuns(grpc::ServerContext* context, const v1::ChangeRunsRequest* request,
                          v1::ChangeRunsResponse* response) override;
  grpc::Status WatchExperiments(grpc::ServerContext* context,
                                const v1::WatchExperimentsRequest* request,
                                grpc::ServerWriter<v1::RunUpdate>* writer) override;
  grpc::Status ReadLogs(grpc::ServerContext* context, const v1::ReadLogsRequest* request,
                        grpc::ServerWriter<v1::LogChunk>* writer) override;
  grpc::Status ListWorkers(grpc::ServerContext* context, const v1::ListWorkersRequest* request,
                           v1::ListWorkersResponse* response) override;
  grpc::Status GetQueue(grpc::ServerContext* context, const v1::GetQueueRequest* request,
                        v1::GetQueueResponse* response) override;

 private:
  using ChangeRuns = absl::StatusOr<v1::ChangeRunsResponse> (Sequencer::*)(
      const v1::ChangeRunsRequest&, const Caller&);
  grpc::Status Change(grpc::ServerContext* context, const char* method,
                      const v1::ChangeRunsRequest& request, ChangeRuns change,
                      v1::ChangeRunsResponse* response);
  grpc::Status Serve(grpc::ServerContext* context, const char* method,
                     const std::function<absl::Status(const ServedCall&)>& body);

  CommitLoop& loop_;
  RunReader& runs_;
  LogStore& logs_;
  CallGate& gate_;
  std::string http_address_;
  absl::Duration reader_patience_ = absl::Seconds(10);
  std::atomic<int> watchers_ = 0;
  std::atomic<int> log_readers_ = 0;
};

}  // namespace ddl::coordinator
