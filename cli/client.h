// The coordinator as verbs see it: one channel, versions exchanged, every call with a deadline.
//
// UNAVAILABLE alone is retried, with jitter and for a bounded time; a call that changes something
// carries the request_id that its caller made, so a repeat is harmless. Ctrl-C cancels the call
// that is under way (kCancelled). gRPC itself stays in connection.h and
// the files client*.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/verb.h"
#include "proto/ddl/v1/experiments.pb.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::cli {

// How long an unreachable coordinator is waited for; --timeout makes it shorter.
inline constexpr absl::Duration kRetryLimit = absl::Seconds(10);

enum class RunChange { kCancel, kPause, kResume };

struct Watcher {
  std::function<bool(const v1::RunUpdate&)> on_update;  // False: no more.
  std::function<void()> on_pause;                       // Every ten seconds.
  std::function<void(const absl::Status&)> on_lost;     // The connection is being made again.
};

class Client {
 public:
  // kUnavailable after the bounded retry; kFailedPrecondition for a coordinator that speaks a newer
  // protocol. `io` must outlive the client.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Arguments& arguments, Io& io);
  ~Client();

  const v1::GetServerResponse& server() const;
  const std::string& address() const;

  absl::StatusOr<v1::SubmitExperimentResponse> Submit(const v1::SubmitExperimentRequest& request);
  absl::StatusOr<v1::ChangeRunsResponse> Change(RunChange change,
                                                const v1::ChangeRunsRequest& request);
  absl::StatusOr<v1::RunDetail> GetRun(const std::string& run);
  absl::StatusOr<v1::Experiment> GetExperiment(const std::string& experiment);
  // All runs that match, newest first, over as many pages as there are.
  absl::StatusOr<std::vector<v1::Run>> ListRuns(const v1::ListRunsRequest& request);
  absl::StatusOr<std::vector<v1::Experiment>> ListExperiments();
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers();
  // Why `run`, or every queued run when it is empty, waits.
  absl::StatusOr<v1::GetQueueResponse> GetQueue(const std::string& run);
  absl::StatusOr<v1::ListSeriesResponse> ListSeries(const std::string& run);
  // The points of each named series of a run, in whole.
  absl::StatusOr<std::vector<v1::SeriesChunk>> GetSeries(const v1::GetSeriesRequest& request);
  absl::StatusOr<v1::Comparison> Compare(const v1::CompareRequest& request);

  // Gives `take` the logs that `request` wishes, whose positions move on with them. A lost
  // connection is made again, from where it broke off, for up to a minute. kResourceExhausted: the
  // coordinator has cut this reader off as too slow. An error of `take` or `pause`, which is called
  // now and then, ends it and is returned.
  absl::Status ReadLogs(v1::ReadLogsRequest* request,
                        const std::function<absl::Status(const v1::LogChunk&)>& take,
                        const std::function<absl::Status()>& pause);

  // Tells `watcher` the state of each selected run, then every change, until all have ended, it
  // wants no more, or the command's deadline is over (kDeadlineExceeded). A lost connection is made
  // again, from where it broke off, for up to a minute.
  absl::Status Watch(const v1::RunSelector& selector, const Watcher& watcher);

 private:
  // A selector or word with @best replaced: the run of the lowest validation loss, among those that
  // the selector's labels and sweep leave. kNotFound when no run has one.
  absl::StatusOr<v1::RunSelector> Named(const v1::RunSelector& selector);
  absl::StatusOr<std::string> Named(const std::string& word);

  struct Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace ddl::cli
