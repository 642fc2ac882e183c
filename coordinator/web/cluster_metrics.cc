#include "coordinator/web/cluster_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "common/metric_table.h"
#include "coordinator/core/times.h"

namespace ddl::coordinator {
namespace {

using Counts = std::map<std::pair<std::string, std::string>, double>;

constexpr std::array<v1::RunState, 6> kLive = {v1::RUN_STATE_QUEUED,     v1::RUN_STATE_PLACED,
                                               v1::RUN_STATE_RUNNING,    v1::RUN_STATE_PAUSED,
                                               v1::RUN_STATE_PREEMPTING, v1::RUN_STATE_BACKOFF};
constexpr std::array<v1::RunState, 4> kEnded = {v1::RUN_STATE_SUCCEEDED, v1::RUN_STATE_FAILED,
                                                v1::RUN_STATE_STOPPED_EARLY,
                                                v1::RUN_STATE_CANCELED};
constexpr std::array<v1::WorkerState, 4> kWorkerStates = {
    v1::WORKER_STATE_READY, v1::WORKER_STATE_SUSPECT, v1::WORKER_STATE_LOST,
    v1::WORKER_STATE_CORDONED};

std::set<std::string> Pools(const State& state) {
  std::set<std::string> pools = {"default"};
  for (const auto& [name, worker] : state.workers) pools.insert(worker.pool());
  for (const auto& [id, run] : state.runs) pools.insert(run.spec().resources().pool());
  return pools;
}

void Export(absl::string_view name, const Counts& counts, MetricFamilies* families) {
  for (const auto& [labels, count] : counts) {
    families->Set(name, {labels.first, labels.second}, count);
  }
}

void AddRuns(const State& state, const std::set<std::string>& pools, MetricFamilies* families) {
  Counts live;
  Counts ended;
  std::map<std::string, HistogramCounts> waits;
  for (const std::string& pool : pools) {
    for (const v1::RunState word : kLive) live[{pool, Word(word)}] = 0;
    for (const v1::RunState word : kEnded) ended[{pool, Word(word)}] = 0;
    waits[pool] = {};
  }
  constexpr absl::string_view kWait = "ddl_scheduler_queue_wait_seconds";
  const std::vector<double>& bounds = HistogramBounds(kWait);
  for (const auto& [id, run] : state.runs) {
    const std::string& pool = run.spec().resources().pool();
    (HasEnded(run.state()) ? ended : live)[{pool, Word(run.state())}] += 1;
    if (run.attempts().empty()) continue;
    waits[pool].Observe(bounds,
                        UnixSeconds(run.attempts(0).placed()) - UnixSeconds(run.submitted()));
  }
  Export("ddl_scheduler_runs", live, families);
  Export("ddl_runs_finished_total", ended, families);
  for (const auto& [pool, wait] : waits) families->SetHistogram(kWait, {pool}, wait);
}

void AddWorkers(const State& state, const std::set<std::string>& pools, MetricFamilies* families) {
  Counts workers;
  Counts slots;
  for (const std::string& pool : pools) {
    for (const v1::WorkerState word : kWorkerStates) workers[{pool, Word(word)}] = 0;
    slots[{pool, "free"}] = slots[{pool, "busy"}] = 0;
  }
  for (const auto& [name, worker] : state.workers) {
    workers[{worker.pool(), Word(worker.state())}] += 1;
    if (worker.state() == v1::WORKER_STATE_LOST) continue;
    for (const v1::SlotRecord& slot : worker.slots()) {
      slots[{worker.pool(), slot.run().empty() ? "free" : "busy"}] += 1;
    }
  }
  Export("ddl_workers", workers, families);
  Export("ddl_scheduler_slots", slots, families);
}

}  // namespace

void AddSchedulerMetrics(const State& state, MetricFamilies* families) {
  const std::set<std::string> pools = Pools(state);
  AddRuns(state, pools, families);
  AddWorkers(state, pools, families);
}

void AddHeartbeats(const std::map<std::string, absl::Time>& heard, MetricFamilies* families) {
  for (const auto& [worker, time] : heard) {
    families->Set("ddl_worker_last_heartbeat_timestamp_seconds", {worker},
                  absl::ToDoubleSeconds(time - absl::UnixEpoch()));
  }
}

Objective ObjectiveOf(const v1::ExperimentRecord& sweep) {
  const v1::SweepMetric& metric = sweep.sweep().metric();
  return {metric.name(), metric.goal() == "maximize"};
}

void AddSweepMetrics(const State& state, const std::map<std::string, double>& objectives,
                     MetricFamilies* families) {
  std::vector<const v1::ExperimentRecord*> sweeps;
  for (const auto& [id, experiment] : state.experiments) {
    if (experiment.kind() == "sweep") sweeps.push_back(&experiment);
  }
  std::sort(sweeps.begin(), sweeps.end(),
            [](const auto* a, const auto* b) { return a->order() > b->order(); });
  if (sweeps.size() > kMaxVisibleSweeps) sweeps.resize(kMaxVisibleSweeps);
  std::map<std::string, double> best;  // By experiment.
  for (const auto& [run, value] : objectives) {
    const v1::RunRecord* const record = FindRun(state, run);
    if (record == nullptr) continue;
    const v1::ExperimentRecord* const sweep = FindExperiment(state, record->experiment_id());
    if (sweep == nullptr) continue;
    const auto [place, is_new] = best.emplace(sweep->id(), value);
    if (!is_new && IsBetter(ObjectiveOf(*sweep), value, place->second)) place->second = value;
  }
  for (const v1::ExperimentRecord* const sweep : sweeps) {
    for (const auto& [run_state, count] : sweep->runs_by_state()) {
      families->Set("ddl_sweep_trials", {sweep->id(), Word(static_cast<v1::RunState>(run_state))},
                    count);
    }
    families->Set("ddl_sweep_trials", {sweep->id(), "pending"}, sweep->trials() - sweep->created());
    const auto found = best.find(sweep->id());
    if (found == best.end()) continue;
    families->Set("ddl_sweep_best_objective", {sweep->id()}, found->second);
  }
}

}  // namespace ddl::coordinator
