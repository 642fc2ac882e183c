#include "common/metric_table.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "absl/strings/str_split.h"
#include "common/series.h"

namespace ddl {
namespace {

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kHistogram = MetricType::kHistogram;
constexpr MetricOwner kCoordinator = MetricOwner::kCoordinator;
constexpr MetricOwner kWorker = MetricOwner::kWorker;
constexpr MetricOwner kBoth = MetricOwner::kBoth;

constexpr MetricRow kCoordinatorRows[] = {
    {"ddl_build_info", kGauge, "component,version,revision", "", "Build of this program; 1.",
     kBoth},
    {"ddl_points_dropped_total", kCounter, "reason", "", "Metric points that were not stored.",
     kBoth},
    {"ddl_run_info", kGauge,
     "run,experiment,name,user,residual,model,dataset,optimizer,seed,config_hash,sweep,parent", "",
     "What a run is; 1.", kCoordinator},
    {"ddl_run_state", kGauge, "run,state", "", "1 for the state that the run is in.", kCoordinator},
    {"ddl_run_start_timestamp_seconds", kGauge, "run", "seconds", "When the first attempt started.",
     kCoordinator},
    {"ddl_run_end_timestamp_seconds", kGauge, "run", "seconds", "When the run ended.",
     kCoordinator},
    {"ddl_run_target_tokens", kGauge, "run", "tokens", "Training budget.", kCoordinator},
    {"ddl_run_parameters", kGauge, "run", "", "Trainable parameters.", kCoordinator},
    {"ddl_run_ranks", kGauge, "run", "", "Ranks that the run asks for.", kCoordinator},
    {"ddl_run_restarts_total", kCounter, "run,reason", "",
     "Attempts after the first, by what ended the one before.", kCoordinator},
    {"ddl_run_best_val_loss", kGauge, "run", "nats", "Lowest validation loss so far.",
     kCoordinator},
    {"ddl_run_milestone_val_loss", kGauge, "run,milestone_tokens", "nats",
     "Validation loss when the run reached this many tokens.", kCoordinator},
    {"ddl_coordinator_leader", kGauge, "", "", "1 while this coordinator serves.", kCoordinator},
    {"ddl_scheduler_runs", kGauge, "pool,state", "", "Runs that have not ended.", kCoordinator},
    {"ddl_scheduler_slots", kGauge, "pool,state", "", "Slots of the workers that are not lost.",
     kCoordinator},
    {"ddl_scheduler_queue_wait_seconds", kHistogram, "pool", "seconds",
     "From submission to the first placement.", kCoordinator},
    {"ddl_scheduler_cycle_duration_seconds", kHistogram, "", "seconds",
     "Duration of a scheduling cycle: liveness, placement and retries.", kCoordinator},
    {"ddl_runs_finished_total", kCounter, "pool,outcome", "", "Runs that have ended.",
     kCoordinator},
    {"ddl_workers", kGauge, "pool,state", "", "Known workers.", kCoordinator},
    {"ddl_worker_last_heartbeat_timestamp_seconds", kGauge, "worker", "seconds",
     "When the worker was last heard.", kCoordinator},
    {"ddl_sweep_trials", kGauge, "sweep,state", "", "Trials of a sweep.", kCoordinator},
    {"ddl_sweep_best_objective", kGauge, "sweep", "",
     "Best value so far of the sweep's metric, over its visible runs.", kCoordinator},
    {"ddl_checkpoint_last_success_timestamp_seconds", kGauge, "run", "seconds",
     "When the newest checkpoint was committed.", kCoordinator},
    {"ddl_checkpoint_last_step", kGauge, "run", "", "Step of the newest committed checkpoint.",
     kCoordinator},
    {"ddl_checkpoint_size_bytes", kGauge, "run", "bytes",
     "Size of the newest committed checkpoint.", kCoordinator},
    {"ddl_points_ingested_total", kCounter, "", "",
     "Metric points stored since the coordinator started.", kCoordinator},
    {"grpc_server_handled_total", kCounter, "grpc_service,grpc_method,grpc_code", "",
     "Calls answered.", kCoordinator},
    {"grpc_server_handling_seconds", kHistogram, "grpc_service,grpc_method", "seconds",
     "Time from a call to its answer.", kCoordinator},
};

constexpr MetricRow kTrainingRows[] = {
    {"ddl_train_loss", kGauge, "run", "nats", "Training loss of the last step, in nats per token.",
     kWorker},
    {"ddl_train_gradient_norm", kGauge, "run", "",
     "Gradient norm of the last step, before clipping.", kWorker},
    {"ddl_train_learning_rate", kGauge, "run,group", "", "Learning rate of the last step.",
     kWorker},
    {"ddl_train_steps_total", kCounter, "run", "", "Optimizer steps of the run, over all attempts.",
     kWorker},
    {"ddl_train_tokens_total", kCounter, "run", "tokens",
     "Training tokens of the run, over all attempts.", kWorker},
    {"ddl_train_flops_total", kCounter, "run", "",
     "Floating-point operations of the run, from its architecture.", kWorker},
    {"ddl_train_step_duration_seconds", kHistogram, "run", "seconds",
     "Duration of optimizer steps.", kWorker},
    {"ddl_train_phase_seconds_total", kCounter, "run,phase", "seconds",
     "Time by phase of training.", kWorker},
    {"ddl_train_nonfinite_steps_total", kCounter, "run,source", "",
     "Steps skipped because loss or gradient was not finite.", kWorker},
    {"ddl_train_gradient_clips_total", kCounter, "run", "", "Steps whose gradient was clipped.",
     kWorker},
    {"ddl_train_mfu_ratio", kGauge, "run", "ratio",
     "FLOPs of the last step by what the GPUs could do in bf16; only for known GPUs.", kWorker},
    {"ddl_train_straggler_ratio", kGauge, "run", "ratio",
     "Slowest rank's time before the all-reduce by the median's; only with several ranks.",
     kWorker},
    {"ddl_train_last_step_timestamp_seconds", kGauge, "run", "seconds",
     "When the last step was recorded.", kWorker},
    {"ddl_val_loss", kGauge, "run,split", "nats", "Loss of the last validation, in nats per token.",
     kWorker},
    {"ddl_val_accuracy_ratio", kGauge, "run,split", "ratio",
     "Share of tokens that the last validation predicted.", kWorker},
    {"ddl_gate_beta", kHistogram, "run,sublayer", "",
     "Gate beta, over tokens and layers of the recorded steps.", kWorker},
    {"ddl_gate_beta_mean", kGauge, "run,layer,sublayer", "", "Mean gate of the last step.",
     kWorker},
    {"ddl_gate_regime_ratio", kGauge, "run,sublayer,regime", "ratio",
     "Share of gates by regime in the last step.", kWorker},
    {"ddl_gate_saturation_ratio", kGauge, "run,sublayer,side", "ratio",
     "Share of gates below 0.05 or above 1.95 in the last step.", kWorker},
    {"ddl_gate_discrepancy_rms", kGauge, "run,layer,sublayer", "",
     "Root mean square of v - kT X in the last step.", kWorker},
    {"ddl_data_wait_seconds_total", kCounter, "run", "seconds",
     "Time that training waited for data.", kWorker},
    {"ddl_data_read_bytes_total", kCounter, "run", "bytes", "Bytes of tokens read for training.",
     kWorker},
    {"ddl_comm_bytes_total", kCounter, "run,op", "bytes",
     "Bytes that a rank handed to collectives in training steps.", kWorker},
    {"ddl_comm_duration_seconds", kHistogram, "run,op", "seconds",
     "Time of a recorded step's collectives, waiting for other ranks included.", kWorker},
    {"ddl_checkpoint_duration_seconds", kHistogram, "phase", "seconds",
     "Duration of checkpoints written here, by phase.", kWorker},
    {"ddl_checkpoint_failures_total", kCounter, "phase,reason", "",
     "Checkpoints that could not be written here.", kWorker},
    {"ddl_checkpoint_written_bytes_total", kCounter, "run", "bytes",
     "Bytes of checkpoints written.", kWorker},
    {"ddl_log_dropped_bytes_total", kCounter, "run", "bytes",
     "Output of ranks beyond the limit of their log files.", kWorker},
};

constexpr MetricRow kHostRows[] = {
    {"ddl_worker_cpu_utilization_ratio", kGauge, "", "ratio",
     "Busy share of the host's processors.", kWorker},
    {"ddl_worker_memory_used_bytes", kGauge, "", "bytes", "Memory of the host in use.", kWorker},
    {"ddl_worker_memory_capacity_bytes", kGauge, "", "bytes", "Memory of the host.", kWorker},
    {"ddl_worker_slots", kGauge, "state", "", "Slots of this worker, busy or free.", kWorker},
    {"ddl_worker_undelivered_events", kGauge, "", "",
     "Spooled events that the coordinator has not acknowledged.", kWorker},
    {"ddl_worker_last_contact_timestamp_seconds", kGauge, "", "seconds",
     "When the coordinator last answered a heartbeat.", kWorker},
    {"ddl_worker_holding", kGauge, "", "",
     "1 while the coordinator's state is older than this worker's.", kWorker},
    {"ddl_rpc_client_retries_total", kCounter, "grpc_method,grpc_code", "",
     "Calls that failed and are made again.", kWorker},
    {"process_resident_memory_bytes", kGauge, "", "bytes", "Resident memory of the daemon.",
     kWorker},
    {"process_cpu_seconds_total", kCounter, "", "seconds", "Processor time of the daemon.",
     kWorker},
    {"process_start_time_seconds", kGauge, "", "seconds", "When the daemon started.", kWorker},
    {"ddl_gpu_info", kGauge, "gpu,uuid,model,driver", "", "What a GPU is; 1.", kWorker},
    {"ddl_gpu_allocation_info", kGauge, "gpu,uuid,run,rank", "", "Which rank has a GPU; 1.",
     kWorker},
    {"ddl_gpu_utilization_ratio", kGauge, "gpu", "ratio", "Share of time in which a kernel ran.",
     kWorker},
    {"ddl_gpu_memory_used_bytes", kGauge, "gpu", "bytes", "Memory of the GPU in use.", kWorker},
    {"ddl_gpu_memory_capacity_bytes", kGauge, "gpu", "bytes", "Memory of the GPU.", kWorker},
    {"ddl_gpu_power_watts", kGauge, "gpu", "watts", "Power draw.", kWorker},
    {"ddl_gpu_temperature_celsius", kGauge, "gpu", "celsius", "Temperature of the chip.", kWorker},
    {"ddl_gpu_sm_clock_hertz", kGauge, "gpu", "hertz", "Clock of the multiprocessors.", kWorker},
    {"ddl_gpu_energy_joules_total", kCounter, "gpu", "joules",
     "Energy since the driver was loaded.", kWorker},
    {"ddl_gpu_ecc_errors_total", kCounter, "gpu,severity", "",
     "Memory errors since the driver was loaded.", kWorker},
};

std::vector<MetricRow> AllRows() {
  std::vector<MetricRow> rows(std::begin(kCoordinatorRows), std::end(kCoordinatorRows));
  rows.insert(rows.end(), std::begin(kTrainingRows), std::end(kTrainingRows));
  rows.insert(rows.end(), std::begin(kHostRows), std::end(kHostRows));
  return rows;
}

}  // namespace

const std::vector<MetricRow>& MetricTable() {
  static const auto& rows = *new std::vector<MetricRow>(AllRows());
  return rows;
}

const MetricRow* FindMetric(absl::string_view name) {
  const std::vector<MetricRow>& rows = MetricTable();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const MetricRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string> LabelsOf(const MetricRow& row) {
  return absl::StrSplit(row.labels, ',', absl::SkipEmpty());
}

const std::vector<double>& HistogramBounds(absl::string_view name) {
  static const auto& bounds = *new std::map<std::string, std::vector<double>, std::less<>>{
      {"ddl_train_step_duration_seconds",
       {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}},
      {"ddl_gate_beta", {series::kBetaBuckets.begin(), series::kBetaBuckets.end()}},
      {"ddl_checkpoint_duration_seconds",
       {.005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}},
      {"ddl_comm_duration_seconds",
       {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}},
      {"ddl_scheduler_cycle_duration_seconds",
       {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, 1, 5}},
      {"ddl_scheduler_queue_wait_seconds", {1, 5, 15, 60, 300, 900, 3600, 14400, 86400}},
      {"grpc_server_handling_seconds",
       {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}},
  };
  static const auto& none = *new std::vector<double>();
  const auto found = bounds.find(std::string(name));
  return found == bounds.end() ? none : found->second;
}

}  // namespace ddl
