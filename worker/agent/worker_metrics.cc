#include "worker/agent/worker_metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "worker/agent/host_usage.h"

namespace ddl::agent {
namespace {

double Seconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

struct Use {
  size_t busy = 0;
  double undelivered = 0;
};

Use UseOf(const Agent& agent) {
  Use use;
  for (const auto& [key, attempt] : agent.held()) {
    for (const auto& [number, rank] : attempt.ranks) {
      if (rank.state != v1::RANK_STATE_EXITED) ++use.busy;
      const Outbox::Position at = agent.outbox().position({key, number});
      if (!at.fenced && at.spool_seq > at.delivered_seq) {
        use.undelivered += static_cast<double>(at.spool_seq - at.delivered_seq);
      }
    }
  }
  return use;
}

void AddHost(const WorkerStatus& status, MetricFamilies* families) {
  families->Set("ddl_worker_cpu_utilization_ratio", {}, status.usage.cpu_ratio());
  families->Set("ddl_worker_memory_used_bytes", {},
                static_cast<double>(status.usage.memory_used_bytes()));
  families->Set("ddl_worker_memory_capacity_bytes", {},
                static_cast<double>(status.usage.memory_capacity_bytes()));
  families->Set("process_resident_memory_bytes", {}, static_cast<double>(ResidentBytes()));
  families->Set("process_cpu_seconds_total", {}, ProcessCpuSeconds());
  families->Set("process_start_time_seconds", {}, Seconds(status.started));
}

void AddDaemon(const WorkerStatus& status, const Agent& agent, MetricFamilies* families) {
  families->Set("ddl_build_info", {"worker", std::string(Version()), std::string(Revision())}, 1);
  const Use use = UseOf(agent);
  families->Set("ddl_worker_slots", {"busy"}, static_cast<double>(use.busy));
  families->Set("ddl_worker_slots", {"free"},
                static_cast<double>(status.slots.size() - std::min(use.busy, status.slots.size())));
  families->Set("ddl_worker_undelivered_events", {}, use.undelivered);
  families->Set("ddl_worker_holding", {}, agent.holding() ? 1 : 0);
  if (status.last_contact != absl::InfinitePast()) {
    families->Set("ddl_worker_last_contact_timestamp_seconds", {}, Seconds(status.last_contact));
  }
  families->Set("ddl_points_dropped_total", {"fenced"},
                static_cast<double>(agent.outbox().dropped_points()));
  for (const auto& [labels, count] : status.retries) {
    families->Set("ddl_rpc_client_retries_total", {labels.first, labels.second}, count);
  }
  for (const auto& [run, bytes] : status.log_dropped_bytes) {
    families->Set("ddl_log_dropped_bytes_total", {run}, bytes);
  }
  families->SetHistogram("ddl_checkpoint_duration_seconds", {"commit"}, status.commits);
}

void AddReading(const std::string& gpu, const GpuReading& reading, MetricFamilies* families) {
  const auto set = [&](const char* name, const auto& value) {
    if (value) families->Set(name, {gpu}, static_cast<double>(*value));
  };
  set("ddl_gpu_utilization_ratio", reading.utilization_ratio);
  set("ddl_gpu_memory_used_bytes", reading.memory_used_bytes);
  set("ddl_gpu_power_watts", reading.power_watts);
  set("ddl_gpu_temperature_celsius", reading.temperature_celsius);
  set("ddl_gpu_sm_clock_hertz", reading.sm_clock_hertz);
  set("ddl_gpu_energy_joules_total", reading.energy_joules);
  if (reading.ecc_corrected) {
    families->Set("ddl_gpu_ecc_errors_total", {gpu, "corrected"},
                  static_cast<double>(*reading.ecc_corrected));
  }
  if (reading.ecc_uncorrected) {
    families->Set("ddl_gpu_ecc_errors_total", {gpu, "uncorrected"},
                  static_cast<double>(*reading.ecc_uncorrected));
  }
}

void AddGpus(const WorkerStatus& status, MetricFamilies* families) {
  for (size_t i = 0; i < status.gpus.size(); ++i) {
    const Gpu& gpu = status.gpus[i];
    const std::string index = absl::StrCat(i);
    families->Set("ddl_gpu_info", {index, gpu.uuid, gpu.model, gpu.driver}, 1);
    families->Set("ddl_gpu_memory_capacity_bytes", {index}, static_cast<double>(gpu.memory_bytes));
    if (i < status.readings.size()) AddReading(index, status.readings[i], families);
  }
}

void AddAllocations(const WorkerStatus& status, const Agent& agent, MetricFamilies* families) {
  for (const auto& [key, attempt] : agent.held()) {
    for (const auto& [number, rank] : attempt.ranks) {
      if (rank.state == v1::RANK_STATE_EXITED || rank.slot >= status.slots.size()) continue;
      const std::string& uuid = status.slots[rank.slot].uuid();
      for (size_t i = 0; i < status.gpus.size(); ++i) {
        if (uuid.empty() || status.gpus[i].uuid != uuid) continue;
        families->Set("ddl_gpu_allocation_info",
                      {absl::StrCat(i), uuid, key.run, absl::StrCat(number)}, 1);
      }
    }
  }
}

}  // namespace

void WorkerMetrics::Publish(const WorkerStatus& status, const Agent& agent,
                            const RunSeries& series) {
  MetricFamilies families;
  AddHost(status, &families);
  AddDaemon(status, agent, &families);
  AddGpus(status, &families);
  AddAllocations(status, agent, &families);
  series.Collect(&families);
  std::vector<prometheus::MetricFamily> published = families.Families();
  const MutexLock lock(&mutex_);
  families_.swap(published);
}

std::vector<prometheus::MetricFamily> WorkerMetrics::Collect() const {
  const MutexLock lock(&mutex_);
  return families_;
}

}  // namespace ddl::agent
