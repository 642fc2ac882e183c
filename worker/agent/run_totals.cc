#include "worker/agent/run_totals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "common/metric_table.h"
#include "common/series.h"
#include "google/protobuf/util/time_util.h"

namespace ddl::agent {
namespace {

// How a series without labels of its own appears in Prometheus.
struct Target {
  absl::string_view series;
  absl::string_view family;
  absl::string_view label;  // Value of the label behind `run`; empty without one.
};
constexpr Target kGauges[] = {
    {series::kTrainLoss, "ddl_train_loss", ""},
    {series::kGradientNorm, "ddl_train_gradient_norm", ""},
    {series::kLearningRate, "ddl_train_learning_rate", "all"},
    {series::kValLoss, "ddl_val_loss", "val"},
    {series::kValAccuracy, "ddl_val_accuracy_ratio", "val"},
    {series::kMfuRatio, "ddl_train_mfu_ratio", ""},
    {series::kStragglerRatio, "ddl_train_straggler_ratio", ""},
};
constexpr Target kSums[] = {
    {series::kDataWaitSeconds, "ddl_data_wait_seconds_total", ""},
    {series::kDataReadBytes, "ddl_data_read_bytes_total", ""},
    {series::kNonfiniteSteps, "ddl_train_nonfinite_steps_total", "step"},
    {series::kGradientClips, "ddl_train_gradient_clips_total", ""},
    {series::kCommBytes, "ddl_comm_bytes_total", "allreduce"},
};

std::vector<std::string> LabelOf(const Target& target) {
  if (target.label.empty()) return {};
  return {std::string(target.label)};
}

template <size_t N>
const Target* Find(const Target (&targets)[N], const std::string& name) {
  const auto* found = std::find_if(std::begin(targets), std::end(targets),
                                   [&](const Target& target) { return target.series == name; });
  return found == std::end(targets) ? nullptr : found;
}

// Index of a bucket's upper bound; the last is +Inf. -1 for a bound that is none of ours.
int BucketIndex(const std::string& bucket) {
  const auto& bounds = series::kBetaBuckets;
  if (bucket == "+Inf") return static_cast<int>(bounds.size());
  double bound = 0;
  if (!absl::SimpleAtod(bucket, &bound)) return -1;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (std::abs(bounds[i] - bound) < 1e-9) return static_cast<int>(i);
  }
  return -1;
}

// Share of gates at or below kBetaBuckets[index].
double ShareBelow(const std::vector<double>& cumulative, size_t index) {
  return cumulative.back() > 0 ? cumulative[index] / cumulative.back() : 0;
}

constexpr size_t kIdentityBucket = 2;    // Beta <= 0.5.
constexpr size_t kProjectionBucket = 7;  // Beta <= 1.5.
static_assert(series::kBetaBuckets[kIdentityBucket] == 0.5);
static_assert(series::kBetaBuckets[kProjectionBucket] == 1.5);

}  // namespace

RunTotals::RunTotals() {
  for (const char* family : {"ddl_train_steps_total", "ddl_train_tokens_total",
                             "ddl_train_flops_total", "ddl_checkpoint_written_bytes_total"}) {
    counters_[{family, {}}] = 0;
  }
  for (const Target& target : kSums) counters_[{std::string(target.family), LabelOf(target)}] = 0;
  for (const absl::string_view phase : series::kPhases) {
    counters_[{"ddl_train_phase_seconds_total", {std::string(phase)}}] = 0;
  }
  histograms_[{"ddl_train_step_duration_seconds", {}}];
}

void RunTotals::Apply(const v1::RankEvent& event) {
  last_event_ =
      absl::FromUnixNanos(google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.time()));
  if (event.has_step())
    ApplyStep(event.step(), absl::ToDoubleSeconds(last_event_ - absl::UnixEpoch()));
  if (event.has_checkpoint_prepared()) {
    counters_[{"ddl_checkpoint_written_bytes_total", {}}] +=
        static_cast<double>(event.checkpoint_prepared().bytes());
  }
}

void RunTotals::ApplyStep(const v1::StepRecord& record, double time_seconds) {
  counters_[{"ddl_train_steps_total", {}}] = static_cast<double>(record.step());
  counters_[{"ddl_train_tokens_total", {}}] = static_cast<double>(record.tokens());
  counters_[{"ddl_train_flops_total", {}}] = record.flops();
  BetaCounts betas;
  for (const v1::Sample& sample : record.samples()) {
    if (sample.name() == series::kTrainLoss) {
      gauges_[{"ddl_train_last_step_timestamp_seconds", {}}] = time_seconds;
    }
    ApplySample(sample, &betas);
  }
  for (const auto& [sublayer, cumulative] : betas) ApplyBetas(sublayer, cumulative);
}

void RunTotals::ApplySample(const v1::Sample& sample, BetaCounts* betas) {
  const std::string& name = sample.name();
  if (const Target* target = Find(kGauges, name)) {
    gauges_[{std::string(target->family), LabelOf(*target)}] = sample.value();
  } else if (const Target* sum = Find(kSums, name)) {
    counters_[{std::string(sum->family), LabelOf(*sum)}] += sample.value();
  } else if (name == series::kPhaseSeconds) {
    counters_[{"ddl_train_phase_seconds_total", {sample.phase()}}] += sample.value();
  } else if (name == series::kStepSeconds) {
    histograms_[{"ddl_train_step_duration_seconds", {}}].Observe(
        HistogramBounds("ddl_train_step_duration_seconds"), sample.value());
  } else if (name == series::kCommSeconds) {
    histograms_[{"ddl_comm_duration_seconds", {"allreduce"}}].Observe(
        HistogramBounds("ddl_comm_duration_seconds"), sample.value());
  } else if (name == series::kGateBetaMean) {
    gauges_[{"ddl_gate_beta_mean", {sample.layer(), sample.sublayer()}}] = sample.value();
  } else if (name == series::kGateDiscrepancyRms) {
    gauges_[{"ddl_gate_discrepancy_rms", {sample.layer(), sample.sublayer()}}] = sample.value();
  } else if (name == series::kGateSaturationLow) {
    gauges_[{"ddl_gate_saturation_ratio", {sample.sublayer(), "low"}}] = sample.value();
  } else if (name == series::kGateSaturationHigh) {
    gauges_[{"ddl_gate_saturation_ratio", {sample.sublayer(), "high"}}] = sample.value();
  } else if (name == series::kGateBetaSum) {
    histograms_[{"ddl_gate_beta", {sample.sublayer()}}].sum += sample.value();
  } else if (name == series::kGateBetaBucket) {
    std::vector<double>& cumulative = (*betas)[sample.sublayer()];
    cumulative.resize(series::kBetaBuckets.size() + 1);
    const int index = BucketIndex(sample.bucket());
    if (index >= 0) cumulative[static_cast<size_t>(index)] = sample.value();
  }
}

void RunTotals::ApplyBetas(const std::string& sublayer, const std::vector<double>& cumulative) {
  HistogramCounts& histogram = histograms_[{"ddl_gate_beta", {sublayer}}];
  histogram.counts.resize(cumulative.size());
  double below = 0;
  for (size_t i = 0; i < cumulative.size(); ++i) {
    histogram.counts[i] += cumulative[i] - below;
    below = cumulative[i];
  }
  const double identity = ShareBelow(cumulative, kIdentityBucket);
  const double reflection = 1 - ShareBelow(cumulative, kProjectionBucket);
  gauges_[{"ddl_gate_regime_ratio", {sublayer, "identity"}}] = identity;
  gauges_[{"ddl_gate_regime_ratio", {sublayer, "projection"}}] = 1 - identity - reflection;
  gauges_[{"ddl_gate_regime_ratio", {sublayer, "reflection"}}] = reflection;
}

void RunTotals::NeverBelow(const RunTotals& earlier) {
  for (const auto& [key, value] : earlier.counters_) floors_[key] = earlier.Reported(key, value);
}

double RunTotals::Reported(const Key& key, double value) const {
  const auto floor = floors_.find(key);
  return floor == floors_.end() ? value : std::max(value, floor->second);
}

void RunTotals::Collect(const std::string& run, MetricFamilies* families) const {
  const auto labels = [&run](const Key& key) {
    std::vector<std::string> values = {run};
    values.insert(values.end(), key.second.begin(), key.second.end());
    return values;
  };
  for (const auto& [key, value] : counters_) {
    families->Set(key.first, labels(key), Reported(key, value));
  }
  for (const auto& [key, value] : gauges_) families->Set(key.first, labels(key), value);
  for (const auto& [key, counts] : histograms_) {
    families->SetHistogram(key.first, labels(key), counts);
  }
}

}  // namespace ddl::agent
