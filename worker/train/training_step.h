// One optimizer step over all ranks: micro-batches forward and backward, one reduction, clipping,
// optimizer. Losses and gradients are means over the answers of the step (for text, its tokens), so
// that the number of ranks and the size of micro-batches change nothing but rounding.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/comm/collective.h"
#include "worker/data/batch_loader.h"
#include "worker/model/transformer.h"
#include "worker/optim/optimizer.h"
#include "worker/train/launch.h"
#include "worker/train/phases.h"
#include "worker/train/progress.h"

namespace ddl {

struct StepResult {
  double loss = 0;           // Before the update; nats per token.
  double gradient_norm = 0;  // Before clipping.
  double learning_rate = 0;
  bool finite = true;  // Otherwise the update was left out.
  bool clipped = false;
  bool drain = false;    // Some rank was asked to stop.
  at::Tensor gate_sums;  // As GateStatistics::Sums(), over all ranks, on the CPU; or undefined.
  double seconds = 0;
  double data_wait_seconds = 0;
  int64_t data_read_bytes = 0;
  // With several ranks only: each rank's time from the step's begin to the all-reduce, in order,
  // and what this rank handed to collectives.
  std::vector<double> rank_seconds;
  int64_t comm_bytes = 0;
  double comm_seconds = 0;
};

class TrainingStep {
 public:
  // All outlive this.
  TrainingStep(const Launch& launch, Transformer* model, Optimizer* optimizer, BatchLoader* loader,
               Collective* collective);

  // The step that follows `progress`; counts it there. `drain` asks all ranks to stop behind it.
  // kUnavailable when a peer is lost.
  absl::StatusOr<StepResult> Run(bool observe_gates, bool drain, Progress* progress,
                                 PhaseTimes* times);

 private:
  // Adds the gradients of all micro-batches up; returns this rank's part of the loss.
  at::Tensor Accumulate(GateStatistics* gates, StepResult* result, PhaseTimes* times);
  // Over all ranks: gradients in place, and the sums that the result is read from. `own_seconds`
  // is this rank's time up to here.
  absl::Status Reduce(const at::Tensor& loss, double own_seconds, bool drain, GateStatistics* gates,
                      StepResult* result);

  const Launch& launch_;
  Transformer* model_;
  Optimizer* optimizer_;
  BatchLoader* loader_;
  Collective* collective_;
};

// How a launch divides steps into batches.
BatchPlan PlanOf(const Launch& launch);

}  // namespace ddl
