#include "coordinator/service/experiments_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/logging.h"
#include "common/status.h"
#include "common/version.h"
#include "coordinator/core/queue.h"
#include "coordinator/core/selector.h"
#include "coordinator/core/views.h"
#include "coordinator/service/page.h"
#include "coordinator/service/read_logs.h"
#include "coordinator/service/watch.h"
#include "coordinator/service/write_patience.h"

namespace ddl::coordinator {

// Copies the message of a StatusOr to `response`, or returns the status.
template <typename Message>
absl::Status Deliver(absl::StatusOr<Message> answer, Message* response) {
  if (!answer.ok()) return answer.status();
  *response = *std::move(answer);
  return absl::OkStatus();
}

grpc::Status ExperimentsService::Serve(grpc::ServerContext* context, const char* method,
                                       const std::function<absl::Status(const ServedCall&)>& body) {
  return gate_.Serve(*context, "ddl.v1.Experiments", method, body);
}

grpc::Status ExperimentsService::GetServer(grpc::ServerContext* context,
                                           const v1::GetServerRequest*,
                                           v1::GetServerResponse* response) {
  return Serve(context, "GetServer", [&](const ServedCall& call) {
    return Deliver(loop_.Read<v1::GetServerResponse>(
                       call.deadline,
                       [http = http_address_](
                           const Sequencer& sequencer) -> absl::StatusOr<v1::GetServerResponse> {
                         v1::GetServerResponse server;
                         server.set_version(std::string(Version()));
                         server.set_revision(std::string(Revision()));
                         server.set_cluster_id(sequencer.core().state().cluster_id);
                         server.set_term(sequencer.core().state().term);
                         server.set_api_version(kApiVersion);
                         server.set_http_address(http);
                         return server;
                       }),
                   response);
  });
}

grpc::Status ExperimentsService::SubmitExperiment(grpc::ServerContext* context,
                                                  const v1::SubmitExperimentRequest* request,
                                                  v1::SubmitExperimentResponse* response) {
  return Serve(context, "SubmitExperiment", [&](const ServedCall& call) {
    // Here, and not in the loop: other calls do not wait for the check of a large sweep.
    const absl::Status checked = CheckSubmission(*request);
    absl::Status status =
        Deliver(loop_.Change<v1::SubmitExperimentResponse>(
                    call.principal, call.deadline,
                    [submit = *request, checked](Sequencer& sequencer, const Caller& caller) {
                      return sequencer.Submit(submit, caller, checked);
                    }),
                response);
    if (status.ok() && !request->validate_only()) {
      DDL_LOG(Info, {"trace_id", request->request_id()}, {"principal", call.principal},
              {"experiment", response->experiment().id()})
          << "submitted " << response->experiment().name() << ", "
          << response->experiment().trials() << " runs";
    }
    return status;
  });
}

grpc::Status ExperimentsService::GetExperiment(grpc::ServerContext* context,
                                               const v1::GetExperimentRequest* request,
                                               v1::Experiment* response) {
  return Serve(context, "GetExperiment", [&](const ServedCall& call) {
    return Deliver(
        loop_.Read<v1::Experiment>(
            call.deadline,
            [word = request->id()](const Sequencer& sequencer) -> absl::StatusOr<v1::Experiment> {
              const State& state = sequencer.core().state();
              DDL_ASSIGN_OR_RETURN(const std::string id, ResolveExperiment(state, word));
              return ExperimentView(*FindExperiment(state, id));
            }),
        response);
  });
}

namespace {

absl::StatusOr<v1::ListExperimentsResponse> ListExperimentsOf(
    const State& state, const v1::ListExperimentsRequest& request) {
  DDL_ASSIGN_OR_RETURN(const PageLimits limits,
                       ReadPageLimits(request.page_size(), request.page_token()));
  std::vector<const v1::ExperimentRecord*> newest;
  for (const auto& [id, experiment] : state.experiments) {
    if (experiment.order() < limits.below) newest.push_back(&experiment);
  }
  std::sort(newest.begin(), newest.end(),
            [](const auto* a, const auto* b) { return a->order() > b->order(); });
  v1::ListExperimentsResponse page;
  for (const v1::ExperimentRecord* const experiment : newest) {
    if (static_cast<uint32_t>(page.experiments_size()) == limits.size) {
      const std::string& last = page.experiments(page.experiments_size() - 1).id();
      page.set_next_page_token(absl::StrCat(state.experiments.at(last).order()));
      break;
    }
    *page.add_experiments() = ExperimentView(*experiment);
  }
  return page;
}

}  // namespace

grpc::Status ExperimentsService::ListExperiments(grpc::ServerContext* context,
                                                 const v1::ListExperimentsRequest* request,
                                                 v1::ListExperimentsResponse* response) {
  return Serve(context, "ListExperiments", [&](const ServedCall& call) {
    return Deliver(loop_.Read<v1::ListExperimentsResponse>(
                       call.deadline,
                       [list = *request](const Sequencer& sequencer) {
                         return ListExperimentsOf(sequencer.core().state(), list);
                       }),
                   response);
  });
}

grpc::Status ExperimentsService::GetRun(grpc::ServerContext* context,
                                        const v1::GetRunRequest* request, v1::RunDetail* response) {
  return Serve(context, "GetRun", [&](const ServedCall& call) {
    return Deliver(runs_.Detail(request->id(), call.deadline), response);
  });
}

grpc::Status ExperimentsService::ListRuns(grpc::ServerContext* context,
                                          const v1::ListRunsRequest* request,
                                          v1::ListRunsResponse* response) {
  return Serve(context, "ListRuns", [&](const ServedCall& call) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(RunReader::Page page, runs_.List(*request, call.deadline));
    for (v1::Run& run : page.runs) *response->add_runs() = std::move(run);
    response->set_next_page_token(page.next);
    return absl::OkStatus();
  });
}

grpc::Status ExperimentsService::Change(grpc::ServerContext* context, const char* method,
                                        const v1::ChangeRunsRequest& request, ChangeRuns change,
                                        v1::ChangeRunsResponse* response) {
  return Serve(context, method, [&](const ServedCall& call) {
    absl::Status status =
        Deliver(loop_.Change<v1::ChangeRunsResponse>(
                    call.principal, call.deadline,
                    [request, change](Sequencer& sequencer, const Caller& caller) {
                      return (sequencer.*change)(request, caller);
                    }),
                response);
    if (status.ok()) {
      DDL_LOG(Info, {"trace_id", request.request_id()}, {"principal", call.principal})
          << method << " of " << response->runs_size() << " runs";
    }
    return status;
  });
}

grpc::Status ExperimentsService::CancelRuns(grpc::ServerContext* context,
                                            const v1::ChangeRunsRequest* request,
                                            v1::ChangeRunsResponse* response) {
  return Change(context, "CancelRuns", *request, &Sequencer::Cancel, response);
}

grpc::Status ExperimentsService::PauseRuns(grpc::ServerContext* context,
                                           const v1::ChangeRunsRequest* request,
                                           v1::ChangeRunsResponse* response) {
  return Change(context, "PauseRuns", *request, &Sequencer::Pause, response);
}

grpc::Status ExperimentsService::ResumeRuns(grpc::ServerContext* context,
                                            const v1::ChangeRunsRequest* request,
                                            v1::ChangeRunsResponse* response) {
  return Change(context, "ResumeRuns", *request, &Sequencer::Resume, response);
}

grpc::Status ExperimentsService::WatchExperiments(grpc::ServerContext* context,
                                                  const v1::WatchExperimentsRequest* request,
                                                  grpc::ServerWriter<v1::RunUpdate>* writer) {
  return Serve(context, "WatchExperiments", [&](const ServedCall& call) {
    const StreamPlace place(&watchers_, kMaxWatchers);
    if (!place.granted()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("at most ", kMaxWatchers, " calls may watch at a time"));
    }
    return Watch(
        *request, call.deadline, &loop_, &runs_,
        [context, writer](const v1::RunUpdate& update) {
          return !context->IsCancelled() && writer->Write(update);
        },
        [context] { return context->IsCancelled(); });
  });
}

grpc::Status ExperimentsService::ReadLogs(grpc::ServerContext* context,
                                          const v1::ReadLogsRequest* request,
                                          grpc::ServerWriter<v1::LogChunk>* writer) {
  return Serve(context, "ReadLogs", [&](const ServedCall& call) {
    const StreamPlace place(&log_readers_, kMaxLogReaders);
    if (!place.granted()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("at most ", kMaxLogReaders, " calls may read logs at a time"));
    }
    WritePatience patience(context, reader_patience_);
    absl::Status status = ddl::coordinator::ReadLogs(
        *request, call.deadline, &loop_, logs_, [&patience, writer](const v1::LogChunk& chunk) {
          return patience.Write([&] { return writer->Write(chunk); });
        });
    if (absl::IsResourceExhausted(status)) {
      DDL_LOG(Warning, {"principal", call.principal}, {"run", request->run()})
          << "a reader of logs: " << status.message();
    }
    return status;
  });
}

grpc::Status ExperimentsService::ListWorkers(grpc::ServerContext* context,
                                             const v1::ListWorkersRequest*,
                                             v1::ListWorkersResponse* response) {
  return Serve(context, "ListWorkers", [&](const ServedCall& call) {
    return Deliver(loop_.Read<v1::ListWorkersResponse>(
                       call.deadline,
                       [](const Sequencer& sequencer) -> absl::StatusOr<v1::ListWorkersResponse> {
                         v1::ListWorkersResponse list;
                         for (const auto& [name, worker] : sequencer.core().state().workers) {
                           *list.add_workers() = WorkerView(worker, sequencer.Pulse(name));
                         }
                         return list;
                       }),
                   response);
  });
}

grpc::Status ExperimentsService::GetQueue(grpc::ServerContext* context,
                                          const v1::GetQueueRequest* request,
                                          v1::GetQueueResponse* response) {
  return Serve(context, "GetQueue", [&](const ServedCall& call) {
    return Deliver(loop_.Read<v1::GetQueueResponse>(
                       call.deadline,
                       [word = request->run()](
                           const Sequencer& sequencer) -> absl::StatusOr<v1::GetQueueResponse> {
                         const State& state = sequencer.core().state();
                         std::string only;
                         if (!word.empty()) {
                           DDL_ASSIGN_OR_RETURN(only, ResolveRun(state, word));
                         }
                         v1::GetQueueResponse queue;
                         for (const Waiting& waiting : ExplainQueue(state)) {
                           if (!only.empty() && waiting.run != only) continue;
                           if (static_cast<uint32_t>(queue.entries_size()) == kMaxPage) break;
                           v1::QueueEntry& entry = *queue.add_entries();
                           *entry.mutable_run() = RunView(*FindRun(state, waiting.run), nullptr);
                           entry.set_position(waiting.position);
                           entry.set_why(waiting.why);
                         }
                         return queue;
                       }),
                   response);
  });
}

}  // namespace ddl::coordinator
