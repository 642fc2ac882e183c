// The daemon's loop: drives the agent with time, gRPC and the host, on one thread. Only the HTTP
// server's threads run beside it, and they see published copies.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/http_server.h"
#include "common/mutex.h"
#include "worker/agent/agent.h"
#include "worker/agent/backoff.h"
#include "worker/agent/coordinator_link.h"
#include "worker/agent/file_spools.h"
#include "worker/agent/host_usage.h"
#include "worker/agent/linux_host.h"
#include "worker/agent/linux_processes.h"
#include "worker/agent/log_outbox.h"
#include "worker/agent/nvml.h"
#include "worker/agent/run_folders.h"
#include "worker/agent/run_series.h"
#include "worker/agent/worker_folder.h"
#include "worker/agent/worker_metrics.h"

namespace ddl::agent {

struct DaemonSettings {
  AgentSettings agent;
  std::string rank_program;  // Absolute.
  std::string rank_log_format = "text";
  std::string http_listen;  // "127.0.0.1:0".
  absl::Duration heartbeat = absl::Seconds(2);
  absl::Duration keep_forgotten = absl::Hours(24);  // Run folders of forgotten attempts.
};

class Daemon {
 public:
  // `folder` must outlive this. `nvml` may be null.
  Daemon(DaemonSettings settings, const WorkerFolder* folder, std::unique_ptr<Nvml> nvml,
         std::shared_ptr<grpc::Channel> channel, const CallerIdentity& caller);

  // Adopts ranks, serves HTTP and talks to the coordinator until `stop` is set: then ranks go on.
  // When `drain` is set instead, every rank is told to checkpoint and end, and this returns when
  // what they wrote is delivered, their logs included. kUnavailable: the HTTP port is in use.
  // kFailedPrecondition: the coordinator is of another cluster or speaks another protocol.
  absl::Status Run(const std::atomic<bool>& stop, const std::atomic<bool>& drain);

 private:
  struct Health {
    absl::Time loop = absl::InfinitePast();
    absl::Time contact = absl::InfinitePast();
    bool registered = false;
    bool holding = false;
  };

  absl::Status ServeHttp();
  void Step(absl::Time now);
  void Register();
  void OnRegistered(const absl::Status& status, const v1::RegisterResponse& response);
  void SendHeartbeat(absl::Time now);
  void OnHeartbeat(const absl::Status& status, const v1::HeartbeatResponse& response);
  void SendEvents(absl::Time now);
  void SendLogs(absl::Time now);
  void OnDelivery(const std::string& method, const absl::Status& status);
  void RememberIdentity();
  void LimitLogs();
  void Publish(absl::Time now);
  void LogNotices();
  std::string HeldStates() const;
  HttpResponse Healthz() const;
  HttpResponse Readyz() const;

  DaemonSettings settings_;
  const WorkerFolder& folder_;
  std::unique_ptr<Nvml> nvml_;
  RunFolders folders_;
  LinuxProcesses processes_;
  LinuxHost host_;
  FileSpools spools_;
  Agent agent_;
  LogOutbox logs_;
  RunSeries series_;
  CoordinatorLink link_;
  HostUsage usage_;
  WorkerStatus status_;
  WorkerMetrics metrics_;
  WorkerIdentity identity_;

  absl::Status fatal_;
  bool control_in_flight_ = false;
  absl::Time control_due_ = absl::InfinitePast();  // Next registration or heartbeat.
  absl::Time last_heartbeat_ = absl::InfinitePast();
  Backoff control_backoff_;
  absl::Time delivery_due_ = absl::InfinitePast();
  Backoff delivery_backoff_;
  absl::Time logs_due_ = absl::InfinitePast();
  Backoff logs_backoff_;
  std::string reported_states_;                 // HeldStates of the last heartbeat sent.
  absl::Time slow_due_ = absl::InfinitePast();  // Next look at usage, logs and GPUs.
  absl::Time publish_due_ = absl::InfinitePast();
  absl::Time sweep_due_ = absl::InfinitePast();  // Next removal of forgotten folders.

  mutable Mutex health_mutex_;
  Health health_ ABSL_GUARDED_BY(health_mutex_);
  std::unique_ptr<HttpServer> http_;  // Last: its threads use the rest.
};

}  // namespace ddl::agent
