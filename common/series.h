// The series that ranks record. One name here is one word everywhere: in a rank's StepRecords, in
// the run store, in `ddl metrics RUN NAME` and, with prefix and labels, in Prometheus
// (common/metric_table.h).
//
// A series key is the name followed by its labels in the order layer, sublayer, bucket, phase, each
// behind a slash: "train_loss", "phase_seconds/forward", "gate_beta_mean/3/attn",
// "gate_beta_bucket/mlp/1.05".
#pragma once

#include <array>
#include <string>

#include "absl/strings/string_view.h"

namespace ddl::series {

// By optimizer step.
inline constexpr absl::string_view kTrainLoss = "train_loss";  // Nats per token, before the step.
inline constexpr absl::string_view kGradientNorm = "gradient_norm";  // Before clipping.
inline constexpr absl::string_view kLearningRate = "learning_rate";
inline constexpr absl::string_view kStepSeconds = "step_seconds";
inline constexpr absl::string_view kPhaseSeconds = "phase_seconds";  // Of this step; label phase.
inline constexpr absl::string_view kDataWaitSeconds = "data_wait_seconds";  // Of this step.
inline constexpr absl::string_view kDataReadBytes = "data_read_bytes";      // Of this step.
inline constexpr absl::string_view kNonfiniteSteps = "nonfinite_steps";     // 1 on a skipped step.
inline constexpr absl::string_view kGradientClips = "gradient_clips";       // 1 when clipped.
inline constexpr absl::string_view kMfuRatio = "mfu_ratio";  // Only on GPUs with a known peak.
// With several ranks.
inline constexpr absl::string_view kStragglerRatio = "straggler_ratio";  // Slowest by median.
inline constexpr absl::string_view kCommBytes = "comm_bytes";      // Of rank 0, of these steps.
inline constexpr absl::string_view kCommSeconds = "comm_seconds";  // Of rank 0, of this step.
// By validation; the record's step is the step it follows.
inline constexpr absl::string_view kValLoss = "val_loss";          // Nats per token.
inline constexpr absl::string_view kValAccuracy = "val_accuracy";  // Share of right next tokens.
// Of data with known answers: share of right answers to the token at a position of the sequence
// (from 0), or up to it from the one before; label bucket.
inline constexpr absl::string_view kValPositionAccuracy = "val_position_accuracy";
// Gates, by optimizer step, over the tokens of the step. Only for residuals with a gate.
inline constexpr absl::string_view kGateBetaMean = "gate_beta_mean";  // layer, sublayer.
inline constexpr absl::string_view kGateDiscrepancyRms =
    "gate_discrepancy_rms";                                               // layer, sublayer.
inline constexpr absl::string_view kGateBetaBucket = "gate_beta_bucket";  // sublayer, bucket: count
                                                                          // of beta <= bucket.
inline constexpr absl::string_view kGateBetaSum = "gate_beta_sum";        // sublayer.
inline constexpr absl::string_view kGateSaturationLow =
    "gate_saturation_low";  // sublayer: share of
inline constexpr absl::string_view kGateSaturationHigh =
    "gate_saturation_high";  // beta < .05, > 1.95.

// Upper bounds of the beta histogram; "+Inf" follows them.
inline constexpr std::array<double, 11> kBetaBuckets = {0.05, 0.25, 0.5,  0.75, 0.95, 1.05,
                                                        1.25, 1.5,  1.75, 1.95, 2.0};
inline constexpr std::array<absl::string_view, 8> kPhases = {
    "data", "forward", "backward", "allreduce", "optimizer", "eval", "checkpoint", "stall"};

struct Labels {
  std::string layer;
  std::string sublayer;
  std::string bucket;
  std::string phase;
};

// The key of a series, as described above.
std::string Key(absl::string_view name, const Labels& labels = {});

}  // namespace ddl::series
