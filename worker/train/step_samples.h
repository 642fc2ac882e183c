// Steps and validations as samples of common/series.h.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/train/evaluate.h"
#include "worker/train/events.h"
#include "worker/train/phases.h"
#include "worker/train/training_step.h"

namespace ddl {

// What adds up over the steps between two recorded points, so that sums over points are sums over
// steps whatever observability.log_every is.
struct StepCounts {
  PhaseTimes phases;
  double data_wait_seconds = 0;
  int64_t data_read_bytes = 0;
  int64_t nonfinite_steps = 0;
  int64_t gradient_clips = 0;
  int64_t comm_bytes = 0;

  void Add(const StepResult& result);
};

// Here and below, values that are not finite are left out.
std::vector<Sample> StepSamples(const StepResult& result, const StepCounts& counts,
                                bool gates_by_layer);

// Gate statistics of `sums` (GateStatistics::Sums(), on the CPU).
void AddGateSamples(const at::Tensor& sums, bool by_layer, std::vector<Sample>* samples);

// How much of `peak_flops_per_second` a rank has reached that did `flops` in `seconds`.
void AddUtilization(double flops, double seconds, double peak_flops_per_second,
                    std::vector<Sample>* samples);

std::vector<Sample> ValidationSamples(const Validation& validation, double seconds);

}  // namespace ddl
