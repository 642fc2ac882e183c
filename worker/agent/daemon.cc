#include "worker/agent/daemon.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/logging.h"
#include "common/metric_table.h"
#include "common/names.h"
#include "common/prometheus_text.h"
#include "common/status.h"
#include "common/trace.h"
#include "worker/agent/log_limit.h"

namespace ddl::agent {
namespace {

constexpr absl::Duration kPollPeriod = absl::Milliseconds(100);
constexpr absl::Duration kPublishPeriod = absl::Milliseconds(500);
constexpr absl::Duration kSlowPeriod = absl::Seconds(1);
constexpr absl::Duration kSweepPeriod = absl::Minutes(10);
constexpr absl::Duration kMinHeartbeatGap = absl::Milliseconds(200);
constexpr absl::Duration kSilence = absl::Seconds(10);      // Then not healthy, or not ready.
constexpr absl::Duration kDrainGrace = absl::Seconds(240);  // Then SIGKILL.
constexpr int64_t kLogSlackBytes = 1 << 20;

// What scrapers are told: an address that listens on every interface names none of them.
std::string Reachable(const std::string& listening, const std::string& data_address) {
  for (const absl::string_view any : {"0.0.0.0:", "[::]:"}) {
    if (absl::StartsWith(listening, any)) {
      return absl::StrCat(data_address, ":", listening.substr(any.size()));
    }
  }
  return listening;
}

std::string CodeOf(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

}  // namespace

Daemon::Daemon(DaemonSettings settings, const WorkerFolder* folder, std::unique_ptr<Nvml> nvml,
               std::shared_ptr<grpc::Channel> channel, const CallerIdentity& caller)
    : settings_(std::move(settings)),
      folder_(*folder),
      nvml_(std::move(nvml)),
      folders_(settings_.agent.launch.state_folder, settings_.agent.launch.checkpoint_root),
      host_(settings_.rank_program, settings_.rank_log_format, &folders_, &processes_),
      spools_(&folders_),
      agent_(settings_.agent, &host_, &processes_, &spools_),
      logs_(settings_.agent.worker, settings_.agent.session, &folders_),
      series_(&spools_, [this](const std::string& run) { return folders_.Epochs(run); }),
      link_(std::move(channel), caller),
      identity_{settings_.agent.cluster_id, settings_.agent.term} {
  status_.slots = settings_.agent.slots;
  status_.started = absl::Now();
  if (nvml_ != nullptr) status_.gpus = nvml_->gpus();
}

absl::Status Daemon::Run(const std::atomic<bool>& stop, const std::atomic<bool>& drain) {
  DDL_RETURN_IF_ERROR(agent_.Adopt(absl::Now()));
  logs_.TakeUp();
  DDL_RETURN_IF_ERROR(ServeHttp());
  bool draining = false;
  while (!stop.load() && fatal_.ok()) {
    const absl::Time now = absl::Now();
    if (drain.load() && !std::exchange(draining, true)) {
      DDL_LOG(Info) << "drains: its ranks checkpoint and end";
      agent_.Drain(kDrainGrace, now);
    }
    Step(now);
    if (draining && agent_.drained() && logs_.idle()) return absl::OkStatus();
    link_.Wait(now + kPollPeriod);
  }
  return fatal_;
}

absl::Status Daemon::ServeHttp() {
  HttpRoutes routes;
  routes["/metrics"] = [this](const HttpRequest&) {
    return PrometheusResponse(metrics_.Collect());
  };
  routes["/healthz"] = [this](const HttpRequest&) { return Healthz(); };
  routes["/readyz"] = [this](const HttpRequest&) { return Readyz(); };
  DDL_ASSIGN_OR_RETURN(http_, HttpServer::Start(settings_.http_listen, std::move(routes)));
  agent_.SetHttpAddress(Reachable(http_->address(), settings_.agent.launch.data_address));
  DDL_RETURN_IF_ERROR(folder_.WriteAddress(http_->address()));
  DDL_LOG(Info) << "serves HTTP at " << http_->address() << ", " << settings_.agent.slots.size()
                << " slots";
  return absl::OkStatus();
}

void Daemon::Step(absl::Time now) {
  agent_.Poll(now);
  series_.Follow(agent_.held(), now);
  if (now >= slow_due_) {
    slow_due_ = now + kSlowPeriod;
    status_.usage = usage_.Read();
    LimitLogs();
    status_.readings.clear();
    for (size_t i = 0; i < status_.gpus.size(); ++i) status_.readings.push_back(nvml_->Read(i));
  }
  if (now >= sweep_due_) {
    sweep_due_ = now + kSweepPeriod;
    spools_.Keep(agent_.held());
    const absl::Status swept = folders_.RemoveForgotten(now - settings_.keep_forgotten);
    if (!swept.ok()) DDL_LOG(Warning) << "cannot remove old run folders: " << swept;
  }
  // What the coordinator waits for is told at once: a start, an end, a full delivery.
  if (agent_.registered() && now - last_heartbeat_ >= kMinHeartbeatGap &&
      HeldStates() != reported_states_) {
    control_due_ = std::min(control_due_, now);
  }
  if (!control_in_flight_ && now >= control_due_) {
    if (agent_.registered()) {
      SendHeartbeat(now);
    } else {
      Register();
    }
  }
  SendEvents(now);
  SendLogs(now);
  if (now >= publish_due_) {
    publish_due_ = now + kPublishPeriod;
    Publish(now);
  }
  LogNotices();
}

void Daemon::Register() {
  control_in_flight_ = true;
  // The inventory moves on between tries, so that each try is a request of its own; the session
  // makes repeats harmless.
  link_.Register(agent_.MakeRegister(RandomToken()),
                 [this](const absl::Status& status, const v1::RegisterResponse& response) {
                   OnRegistered(status, response);
                 });
}

void Daemon::OnRegistered(const absl::Status& status, const v1::RegisterResponse& response) {
  control_in_flight_ = false;
  if (!status.ok()) status_.retries[{"Register", CodeOf(status)}] += 1;
  const absl::Status accepted = status.ok() ? agent_.OnRegistered(response) : status;
  if (absl::IsFailedPrecondition(accepted)) {  // Another cluster, or another protocol.
    fatal_ = accepted;
    return;
  }
  if (!accepted.ok()) {
    DDL_LOG(Warning) << "cannot register: " << accepted;
    control_due_ = absl::Now() + control_backoff_.Next(RandomBits());
    return;
  }
  DDL_LOG(Info) << "registered with cluster " << response.cluster_id() << ", term "
                << response.term();
  if (response.heartbeat_seconds() > 0) {
    settings_.heartbeat = absl::Seconds(response.heartbeat_seconds());
  }
  control_backoff_.Reset();
  delivery_backoff_.Reset();
  delivery_due_ = absl::InfinitePast();
  control_due_ = absl::Now();
  RememberIdentity();
}

void Daemon::SendHeartbeat(absl::Time now) {
  control_in_flight_ = true;
  last_heartbeat_ = now;
  reported_states_ = HeldStates();
  link_.Heartbeat(agent_.MakeHeartbeat(status_.usage),
                  [this](const absl::Status& status, const v1::HeartbeatResponse& response) {
                    OnHeartbeat(status, response);
                  });
}

void Daemon::OnHeartbeat(const absl::Status& status, const v1::HeartbeatResponse& response) {
  control_in_flight_ = false;
  const absl::Time now = absl::Now();
  if (!status.ok()) {
    status_.retries[{"Heartbeat", CodeOf(status)}] += 1;
    DDL_LOG(Warning) << "heartbeat failed: " << status;
    agent_.OnHeartbeatError(status);
    control_due_ = now + control_backoff_.Next(RandomBits());
    return;
  }
  control_backoff_.Reset();
  control_due_ = now + Jittered(settings_.heartbeat, RandomBits());
  if (status_.last_contact < now - kSilence) delivery_due_ = absl::InfinitePast();
  status_.last_contact = now;
  if (const absl::Status renewed = folder_.RenewLease(); !renewed.ok()) {
    DDL_LOG(Error) << "the ranks' lease is not renewed: " << renewed;
  }
  agent_.OnHeartbeat(response, now);
  RememberIdentity();
}

void Daemon::SendEvents(absl::Time now) {
  if (now < delivery_due_) return;
  while (std::optional<OutboxCall> call = agent_.NextCall()) {
    const RankKey rank = call->rank;
    if (const auto* report = std::get_if<v1::ReportEventsRequest>(&call->request)) {
      link_.ReportEvents(*report, [this, rank](const absl::Status& status,
                                               const v1::ReportEventsResponse& response) {
        agent_.OnReport(rank, status, response);
        OnDelivery("ReportEvents", status);
      });
    } else {
      link_.CommitCheckpoint(
          std::get<v1::CommitCheckpointRequest>(call->request),
          [this, rank, now](const absl::Status& status, const v1::CommitCheckpointResponse&) {
            agent_.OnCommit(rank, status);
            OnDelivery("CommitCheckpoint", status);
            if (!status.ok()) return;
            status_.commits.Observe(HistogramBounds("ddl_checkpoint_duration_seconds"),
                                    absl::ToDoubleSeconds(absl::Now() - now));
          });
    }
  }
}

void Daemon::SendLogs(absl::Time now) {
  logs_.Follow(agent_.held());
  if (!agent_.registered() || now < logs_due_) return;
  const std::optional<v1::ReportLogRequest> request = logs_.Next();
  if (!request) return;
  link_.ReportLog(*request,
                  [this](const absl::Status& status, const v1::ReportLogResponse& response) {
                    logs_.OnReport(status, response);
                    if (status.ok()) {
                      logs_backoff_.Reset();
                      return;
                    }
                    status_.retries[{"ReportLog", CodeOf(status)}] += 1;
                    logs_due_ = absl::Now() + logs_backoff_.Next(RandomBits());
                  });
}

void Daemon::OnDelivery(const std::string& method, const absl::Status& status) {
  if (status.ok() || absl::IsAborted(status)) {
    delivery_backoff_.Reset();
    delivery_due_ = absl::InfinitePast();
    return;
  }
  status_.retries[{method, CodeOf(status)}] += 1;
  DDL_LOG(Warning) << method << " failed: " << status;
  delivery_due_ = absl::Now() + delivery_backoff_.Next(RandomBits());
}

void Daemon::RememberIdentity() {
  const WorkerIdentity now{agent_.cluster_id(), agent_.term()};
  if (now == identity_) return;
  const absl::Status written = folder_.WriteIdentity(now);
  if (written.ok()) {
    identity_ = now;
  } else {
    DDL_LOG(Error) << "cannot remember the term: " << written;
  }
}

// Changes when there is something that the coordinator decides by.
std::string Daemon::HeldStates() const {
  std::string states;
  for (const auto& [key, attempt] : agent_.held()) {
    absl::StrAppend(&states, ToString(key), ":", attempt.rendezvous_port, attempt.launch_error);
    for (const auto& [number, rank] : attempt.ranks) {
      const Outbox::Position at = agent_.outbox().position({key, number});
      const bool delivered = at.ended && at.delivered_seq >= at.spool_seq;
      absl::StrAppend(&states, ",", rank.state, delivered ? "d" : "", at.fenced ? "f" : "");
    }
  }
  return states;
}

void Daemon::LimitLogs() {
  for (const auto& [key, attempt] : agent_.held()) {
    for (const auto& [number, rank] : attempt.ranks) {
      const std::string path = absl::StrCat(folders_.FolderOf({key, number}), "/log");
      double& before = status_.log_dropped_bytes[key.run];
      const absl::StatusOr<int64_t> dropped =
          LimitLog(path, kLogLimitBytes, kLogSlackBytes, static_cast<int64_t>(before));
      if (dropped.ok()) {
        before += static_cast<double>(*dropped);
      } else {
        DDL_LOG(Warning, {"run", key.run}) << dropped.status();
      }
    }
  }
  std::erase_if(status_.log_dropped_bytes, [this](const auto& entry) {
    return std::none_of(agent_.held().begin(), agent_.held().end(),
                        [&](const auto& held) { return held.first.run == entry.first; });
  });
}

void Daemon::Publish(absl::Time now) {
  metrics_.Publish(status_, agent_, series_);
  const MutexLock lock(&health_mutex_);
  health_ = {now, status_.last_contact, agent_.registered(), agent_.holding()};
}

void Daemon::LogNotices() {
  for (const AgentNotice& notice : agent_.TakeNotices()) {
    if (notice.key.run.empty()) {
      DDL_LOG(Info) << notice.text;
      continue;
    }
    DDL_LOG(Info, {"run", notice.key.run}, {"attempt", notice.key.epoch},
            {"trace_id", AttemptTrace(notice.key.run, notice.key.epoch)})
        << notice.text;
  }
}

HttpResponse Daemon::Healthz() const {
  const MutexLock lock(&health_mutex_);
  if (absl::Now() - health_.loop < kSilence) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8", "the daemon's loop stands still\n"};
}

HttpResponse Daemon::Readyz() const {
  const MutexLock lock(&health_mutex_);
  HttpResponse response{503, "text/plain; charset=utf-8", ""};
  if (!health_.registered) {
    response.body = "not registered with the coordinator\n";
  } else if (absl::Now() - health_.contact > kSilence) {
    response.body = "the coordinator does not answer\n";
  } else if (health_.holding) {
    response.body = "the coordinator's state is older than this worker's\n";
  } else {
    response = {200, "text/plain; charset=utf-8", "ok\n"};
  }
  return response;
}

}  // namespace ddl::agent
