#include "worker/train/step_samples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

// A run has a limited number of series (1,000 by default).
constexpr size_t kMaxPositionSeries = 256;
constexpr std::array<absl::string_view, kSublayers> kSublayerNames = {"attn", "mlp"};

// A value that is not finite is no point: curves, means and JSON know no NaN.
void Add(absl::string_view name, double value, series::Labels labels,
         std::vector<Sample>* samples) {
  if (std::isfinite(value)) samples->push_back({std::string(name), value, std::move(labels)});
}

// One sublayer over all layers: histogram, sum and saturation.
void AddSublayer(const double* row, const std::string& sublayer, std::vector<Sample>* samples) {
  double below = 0;
  for (int64_t i = 0; i < GateStatistics::kBuckets; ++i) {
    const auto at = static_cast<size_t>(i);
    below += row[GateStatistics::kFirstBucket + i];
    const bool last = at == series::kBetaBuckets.size();
    Add(series::kGateBetaBucket, below,
        {.sublayer = sublayer, .bucket = last ? "+Inf" : absl::StrCat(series::kBetaBuckets.at(at))},
        samples);
    if (last) break;
  }
  const double count = row[GateStatistics::kCount];
  Add(series::kGateBetaSum, row[GateStatistics::kBetaSum], {.sublayer = sublayer}, samples);
  Add(series::kGateSaturationLow, row[GateStatistics::kLow] / count, {.sublayer = sublayer},
      samples);
  Add(series::kGateSaturationHigh, row[GateStatistics::kHigh] / count, {.sublayer = sublayer},
      samples);
}

void AddLayer(const double* row, const series::Labels& labels, std::vector<Sample>* samples) {
  Add(series::kGateBetaMean, row[GateStatistics::kBetaSum] / row[GateStatistics::kCount], labels,
      samples);
  Add(series::kGateDiscrepancyRms,
      std::sqrt(row[GateStatistics::kSquares] / row[GateStatistics::kSquareCount]), labels,
      samples);
}

// One point for each position that asks, or for each run of `group` of them: their mean, named
// after the last.
void AddPositions(const std::vector<PositionAccuracy>& positions, std::vector<Sample>* samples) {
  const size_t group = (positions.size() + kMaxPositionSeries - 1) / kMaxPositionSeries;
  double sum = 0;
  size_t first = 0;
  for (size_t i = 0; i < positions.size(); ++i) {
    sum += positions[i].accuracy;
    if (i + 1 - first < group && i + 1 < positions.size()) continue;
    Add(series::kValPositionAccuracy, sum / static_cast<double>(i + 1 - first),
        {.bucket = absl::StrCat(positions[i].position)}, samples);
    first = i + 1;
    sum = 0;
  }
}

// The slowest by the median; of an even number, the mean of the two in the middle.
double StragglerRatio(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const size_t half = seconds.size() / 2;
  const double median =
      seconds.size() % 2 == 1 ? seconds[half] : (seconds[half - 1] + seconds[half]) / 2;
  return seconds.back() / median;
}

}  // namespace

void StepCounts::Add(const StepResult& result) {
  data_wait_seconds += result.data_wait_seconds;
  data_read_bytes += result.data_read_bytes;
  nonfinite_steps += result.finite ? 0 : 1;
  gradient_clips += result.clipped ? 1 : 0;
  comm_bytes += result.comm_bytes;
}

void AddGateSamples(const at::Tensor& sums, bool by_layer, std::vector<Sample>* samples) {
  const at::Tensor rows = sums.contiguous();
  const at::Tensor totals = rows.sum(0).contiguous();
  for (size_t sublayer = 0; sublayer < kSublayerNames.size(); ++sublayer) {
    const std::string name(kSublayerNames.at(sublayer));
    const auto index = static_cast<int64_t>(sublayer);
    AddSublayer(totals.select(0, index).data_ptr<double>(), name, samples);
    if (!by_layer) continue;
    for (int64_t layer = 0; layer < rows.size(0); ++layer) {
      AddLayer(rows.select(0, layer).select(0, index).data_ptr<double>(),
               {.layer = absl::StrCat(layer), .sublayer = name}, samples);
    }
  }
}

std::vector<Sample> StepSamples(const StepResult& result, const StepCounts& counts,
                                bool gates_by_layer) {
  std::vector<Sample> samples;
  Add(series::kTrainLoss, result.loss, {}, &samples);
  Add(series::kGradientNorm, result.gradient_norm, {}, &samples);
  Add(series::kLearningRate, result.learning_rate, {}, &samples);
  Add(series::kStepSeconds, result.seconds, {}, &samples);
  for (size_t i = 0; i < series::kPhases.size(); ++i) {
    const double seconds = counts.phases.all().at(i);
    if (seconds > 0) {
      Add(series::kPhaseSeconds, seconds, {.phase = std::string(series::kPhases.at(i))}, &samples);
    }
  }
  Add(series::kDataWaitSeconds, counts.data_wait_seconds, {}, &samples);
  Add(series::kDataReadBytes, static_cast<double>(counts.data_read_bytes), {}, &samples);
  if (counts.nonfinite_steps > 0) {
    Add(series::kNonfiniteSteps, static_cast<double>(counts.nonfinite_steps), {}, &samples);
  }
  if (counts.gradient_clips > 0) {
    Add(series::kGradientClips, static_cast<double>(counts.gradient_clips), {}, &samples);
  }
  if (!result.rank_seconds.empty()) {
    Add(series::kStragglerRatio, StragglerRatio(result.rank_seconds), {}, &samples);
    Add(series::kCommBytes, static_cast<double>(counts.comm_bytes), {}, &samples);
    Add(series::kCommSeconds, result.comm_seconds, {}, &samples);
  }
  if (result.gate_sums.defined()) AddGateSamples(result.gate_sums, gates_by_layer, &samples);
  return samples;
}

void AddUtilization(double flops, double seconds, double peak_flops_per_second,
                    std::vector<Sample>* samples) {
  Add(series::kMfuRatio, flops / (seconds * peak_flops_per_second), {}, samples);
}

std::vector<Sample> ValidationSamples(const Validation& validation, double seconds) {
  std::vector<Sample> samples;
  Add(series::kValLoss, validation.loss, {}, &samples);
  Add(series::kValAccuracy, validation.accuracy, {}, &samples);
  AddPositions(validation.by_position, &samples);
  Add(series::kPhaseSeconds, seconds, {.phase = "eval"}, &samples);
  return samples;
}

}  // namespace ddl
