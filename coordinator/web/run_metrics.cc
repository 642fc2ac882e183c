#include "coordinator/web/run_metrics.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "coordinator/core/times.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kMaxLabelBytes = 64;

// The last component of a path, cut to a label's length.
std::string ShortPath(const std::string& path) {
  const size_t end = path.find_last_not_of('/') + 1;
  const size_t slash = path.substr(0, end).rfind('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(begin, std::min(end - begin, kMaxLabelBytes));
}

void AddInfo(const State& state, const v1::RunRecord& run, MetricFamilies* families) {
  const v1::ExperimentSpec& spec = run.spec();
  const v1::ExperimentRecord* const parent = FindExperiment(state, run.experiment_id());
  const bool swept = parent != nullptr && parent->kind() == "sweep";
  families->Set("ddl_run_info",
                {run.id(), spec.experiment(), run.name(), run.user(), run.residual(),
                 absl::StrCat(spec.model().arch(), "-d", spec.model().d_model(), "-l",
                              spec.model().n_layers()),
                 ShortPath(spec.data().path()), "adamw", absl::StrCat(spec.seed()),
                 Sha256Hex(run.arm()).substr(0, 12), swept ? run.experiment_id() : "", ""},
                1);
}

void AddRestarts(const v1::RunRecord& run, MetricFamilies* families) {
  std::map<std::string, double> restarts = {{"infrastructure", 0}, {"preempted", 0}, {"user", 0}};
  for (int i = 0; i + 1 < run.attempts_size(); ++i) restarts[RestartReason(run.attempts(i))] += 1;
  for (const auto& [reason, count] : restarts) {
    families->Set("ddl_run_restarts_total", {run.id(), reason}, count);
  }
}

void AddCheckpoint(const v1::RunRecord& run, MetricFamilies* families) {
  const v1::CheckpointRecord* newest = nullptr;
  for (const v1::CheckpointRecord& checkpoint : run.checkpoints()) {
    if (checkpoint.state() == v1::CHECKPOINT_STATE_COMMITTED) newest = &checkpoint;
  }
  if (newest == nullptr) return;
  families->Set("ddl_checkpoint_last_success_timestamp_seconds", {run.id()},
                UnixSeconds(newest->committed()));
  families->Set("ddl_checkpoint_last_step", {run.id()}, static_cast<double>(newest->step()));
  families->Set("ddl_checkpoint_size_bytes", {run.id()}, static_cast<double>(newest->bytes()));
}

}  // namespace

std::vector<const v1::RunRecord*> VisibleRuns(const State& state, absl::Time now) {
  std::vector<const v1::RunRecord*> visible;
  for (const auto& [id, run] : state.runs) {
    if (!HasEnded(run.state()) || ToTime(run.ended()) + kVisibleAfterEnd >= now) {
      visible.push_back(&run);
    }
  }
  std::sort(visible.begin(), visible.end(),
            [](const auto* a, const auto* b) { return a->order() > b->order(); });
  if (visible.size() > kMaxVisibleRuns) visible.resize(kMaxVisibleRuns);
  return visible;
}

std::string RestartReason(const v1::AttemptRecord& attempt) {
  if (attempt.state() == v1::ATTEMPT_STATE_PREEMPTED) return "preempted";
  switch (attempt.exit_class()) {
    case v1::EXIT_CLASS_PREEMPTED: return "preempted";
    case v1::EXIT_CLASS_USER:
    case v1::EXIT_CLASS_OUT_OF_MEMORY: return "user";
    default: return "infrastructure";
  }
}

void AddRunMetrics(const State& state, const v1::RunRecord& run, MetricFamilies* families) {
  const std::string& id = run.id();
  AddInfo(state, run, families);
  families->Set("ddl_run_state", {id, Word(run.state())}, 1);
  if (run.has_started()) {
    families->Set("ddl_run_start_timestamp_seconds", {id}, UnixSeconds(run.started()));
  }
  if (run.has_ended()) {
    families->Set("ddl_run_end_timestamp_seconds", {id}, UnixSeconds(run.ended()));
  }
  families->Set("ddl_run_target_tokens", {id}, static_cast<double>(run.spec().train().tokens()));
  families->Set("ddl_run_ranks", {id}, run.spec().parallel().ranks());
  const v1::AttemptRecord* const last = LastAttempt(run);
  if (last != nullptr && last->has_rank_zero()) {
    families->Set("ddl_run_parameters", {id}, static_cast<double>(last->rank_zero().parameters()));
  }
  AddRestarts(run, families);
  AddCheckpoint(run, families);
}

void AddProgressMetrics(const std::string& run, const RunProgress& progress,
                        MetricFamilies* families) {
  if (std::isnan(progress.best_val_loss)) return;
  families->Set("ddl_run_best_val_loss", {run}, progress.best_val_loss);
}

}  // namespace ddl::coordinator
