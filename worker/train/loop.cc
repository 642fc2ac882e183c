#include "worker/train/loop.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/logging.h"
#include "common/status.h"

namespace ddl {
namespace {

// The folder of a checkpoint as events name it: relative to the checkpoint root.
std::string RelativeFolder(const Launch& launch, const std::string& step_folder) {
  return (std::filesystem::path(launch.checkpoint_folder) / step_folder)
      .lexically_relative(launch.checkpoint_root)
      .string();
}

}  // namespace

Loop::Loop(const LoopParts& parts, Progress* progress)
    : parts_(parts),
      progress_(progress),
      loader_(parts.data, PlanOf(*parts.launch), progress->step),
      step_(*parts.launch, parts.model, parts.optimizer, &loader_, parts.collective) {}

absl::StatusOr<LoopEnd> Loop::Run() {
  const TrainConfig& train = parts_.launch->train;
  while (progress_->step < train.Steps()) {
    const int64_t before = progress_->tokens;
    const bool logs = LogsStep(progress_->step + 1);
    const bool gates = logs && parts_.model->has_gates();
    DDL_ASSIGN_OR_RETURN(const StepResult result,
                         step_.Run(gates, parts_.should_stop(), progress_, &counts_.phases));
    counts_.Add(result);
    if (logs || !result.finite) DDL_RETURN_IF_ERROR(RecordStep(result));
    DDL_RETURN_IF_ERROR(CheckFinite(result));

    const bool last = progress_->step == train.Steps();
    const int64_t tokens = progress_->tokens;
    if (last || Passed(before, tokens, train.eval_every_tokens)) {
      DDL_RETURN_IF_ERROR(RunValidation());
    }
    if (last || result.drain || Passed(before, tokens, train.checkpoint_every_tokens)) {
      DDL_RETURN_IF_ERROR(BeginCheckpoint(last));
    }
    DDL_RETURN_IF_ERROR(ReportCheckpoint(parts_.checkpoints->Poll()));
    if (result.drain && !last) {
      DDL_RETURN_IF_ERROR(ReportCheckpoint(parts_.checkpoints->Wait()));
      return LoopEnd::kDrained;
    }
  }
  DDL_RETURN_IF_ERROR(ReportCheckpoint(parts_.checkpoints->Wait()));
  return LoopEnd::kFinished;
}

bool Loop::LogsStep(int64_t step) const {
  const TrainConfig& train = parts_.launch->train;
  return step % train.log_every_steps == 0 || step == train.Steps();
}

absl::Status Loop::Write(const RankEvent& event) {
  return parts_.launch->rank == 0 ? parts_.events->Write(event) : absl::OkStatus();
}

StepRecord Loop::RecordHere() const {
  const auto tokens = static_cast<double>(progress_->tokens);
  return {.step = progress_->step,
          .tokens = progress_->tokens,
          .flops = tokens * parts_.launch->train.flops_per_token,
          .active_seconds = progress_->active_seconds,
          .samples = {}};
}

absl::Status Loop::RecordStep(const StepResult& result) {
  StepRecord record = RecordHere();
  record.samples = StepSamples(result, counts_, parts_.launch->train.gates_by_layer);
  counts_ = {};
  if (parts_.peak_flops_per_second) {
    const TrainConfig& train = parts_.launch->train;
    const double flops = static_cast<double>(train.StepTokens()) * train.flops_per_token /
                         static_cast<double>(parts_.launch->world_size);
    AddUtilization(flops, result.seconds, *parts_.peak_flops_per_second, &record.samples);
  }
  return Write(std::move(record));
}

absl::Status Loop::CheckFinite(const StepResult& result) {
  if (result.finite) return absl::OkStatus();
  const std::string what = absl::StrFormat("step %d: loss %g and gradient norm %g must be finite",
                                           progress_->step, result.loss, result.gradient_norm);
  if (!parts_.launch->train.skip_nonfinite) {
    return absl::OutOfRangeError(absl::StrCat(what, " (train.nan_policy: fail)"));
  }
  DDL_LOG(Warning) << what << "; the update is skipped";
  return Write(RunNotice{.severity = "warning", .message = absl::StrCat(what, "; skipped")});
}

absl::Status Loop::RunValidation() {
  Stopwatch watch;
  DDL_ASSIGN_OR_RETURN(const Validation validation,
                       Validate(*parts_.model, *parts_.data, parts_.collective));
  progress_->best_val_loss = std::min(progress_->best_val_loss, validation.loss);
  StepRecord record = RecordHere();
  record.samples = ValidationSamples(validation, watch.Lap());
  if (parts_.launch->rank == 0) {
    DDL_LOG(Info) << absl::StrFormat("step %d tokens %d val_loss %.6f val_accuracy %.4f",
                                     progress_->step, progress_->tokens, validation.loss,
                                     validation.accuracy);
  }
  if (!std::isfinite(validation.loss)) {
    DDL_RETURN_IF_ERROR(Write(RunNotice{
        .severity = "warning",
        .message = absl::StrCat("step ", progress_->step, ": the validation loss is not finite")}));
  }
  return Write(std::move(record));
}

absl::Status Loop::BeginCheckpoint(bool final) {
  if (parts_.launch->rank != 0) return absl::OkStatus();
  Stopwatch watch;
  DDL_RETURN_IF_ERROR(ReportCheckpoint(parts_.checkpoints->Wait()));
  counts_.phases.Add(Phase::kStall, watch.Lap());
  Snapshot snapshot = TakeSnapshot(*progress_, parts_.model->parameters(), *parts_.optimizer);
  snapshot.final = final;
  if (final) snapshot.parameters_sha256 = parts_.model->parameters().Sha256();
  const double seconds = watch.Lap();
  counts_.phases.Add(Phase::kCheckpoint, seconds);
  parts_.checkpoints->Start(std::move(snapshot), seconds);
  return absl::OkStatus();
}

absl::Status Loop::ReportCheckpoint(const std::optional<CheckpointOutcome>& outcome) {
  if (!outcome) return absl::OkStatus();
  const absl::Status& status = outcome->written.status();
  if (!status.ok()) {
    DDL_LOG(Error) << "checkpoint of step " << outcome->progress.step
                   << " failed, the one before it is kept: " << status;
    return Write(
        CheckpointFailed{.step = outcome->progress.step,
                         .phase = "write",
                         .reason = absl::IsResourceExhausted(status) ? "disk_full" : "io_error",
                         .message = std::string(status.message())});
  }
  return Write(
      CheckpointPrepared{.step = outcome->progress.step,
                         .tokens = outcome->progress.tokens,
                         .folder = RelativeFolder(*parts_.launch, outcome->written->folder),
                         .manifest_sha256 = outcome->written->manifest_sha256,
                         .bytes = outcome->written->bytes,
                         .snapshot_seconds = outcome->snapshot_seconds,
                         .write_seconds = outcome->write_seconds,
                         .final = outcome->final});
}

}  // namespace ddl
