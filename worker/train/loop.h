// The training loop: steps, validations and checkpoints of one attempt, from a given progress to
// the run's last step. Everything that happens is decided from progress and settings, so that a
// resumed run repeats an uninterrupted one bit for bit.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/comm/collective.h"
#include "worker/data/sequence_source.h"
#include "worker/model/transformer.h"
#include "worker/optim/optimizer.h"
#include "worker/train/checkpoint_writer.h"
#include "worker/train/events.h"
#include "worker/train/launch.h"
#include "worker/train/step_samples.h"
#include "worker/train/training_step.h"

namespace ddl {

struct LoopParts {
  const Launch* launch = nullptr;
  Transformer* model = nullptr;
  Optimizer* optimizer = nullptr;
  const SequenceSource* data = nullptr;
  Collective* collective = nullptr;
  EventSink* events = nullptr;
  std::optional<double> peak_flops_per_second;  // Of this rank's device, where it is known.
  CheckpointWriter* checkpoints = nullptr;      // Used by rank 0 alone.
  std::function<bool()> should_stop;            // Asked before every step.
};

enum class LoopEnd { kFinished, kDrained };

class Loop {
 public:
  // All parts outlive this. `progress` is where training starts and where it got to.
  Loop(const LoopParts& parts, Progress* progress);

  // kFinished behind the last step; kDrained when some rank should stop, with a checkpoint taken.
  // kUnavailable: a peer is lost. kOutOfRange: a step was not finite and may not be skipped.
  // Other errors come from the event sink.
  absl::StatusOr<LoopEnd> Run();

 private:
  absl::Status RecordStep(const StepResult& result);
  absl::Status CheckFinite(const StepResult& result);
  absl::Status RunValidation();
  absl::Status BeginCheckpoint(bool final);
  absl::Status ReportCheckpoint(const std::optional<CheckpointOutcome>& outcome);
  absl::Status Write(const RankEvent& event);  // Of rank 0; the others say nothing.
  StepRecord RecordHere() const;
  bool LogsStep(int64_t step) const;

  LoopParts parts_;
  Progress* progress_;
  BatchLoader loader_;
  TrainingStep step_;
  StepCounts counts_;  // Since the last recorded point.
};

}  // namespace ddl
