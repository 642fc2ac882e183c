#include "worker/train/step_samples.h"

#include <cmath>
#include <map>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

std::map<std::string, double> ByKey(const std::vector<Sample>& samples) {
  std::map<std::string, double> values;
  for (const Sample& sample : samples) {
    const std::string key = series::Key(sample.name, sample.labels);
    INFO(key);
    CHECK(values.emplace(key, sample.value).second);  // A key occurs once.
  }
  return values;
}

// Two layers; the betas of layer l are all 0.01 (attn) and 1.0 + l (mlp).
at::Tensor Sums() {
  GateStatistics statistics(/*layers=*/2, at::kCPU);
  for (int64_t layer = 0; layer < 2; ++layer) {
    statistics.Observe(layer, Sublayer::kAttention, at::full({1, 4, 1}, 0.01),
                       at::full({1, 4, 2}, 3.0));
    statistics.Observe(layer, Sublayer::kMlp, at::full({1, 4, 1}, 1.0 + static_cast<double>(layer)),
                       at::full({1, 4, 2}, 0.5));
  }
  return statistics.Sums();
}

TEST_CASE("Gates are reported by layer, and by sublayer with cumulative buckets") {
  std::vector<Sample> samples;
  AddGateSamples(Sums(), /*by_layer=*/true, &samples);
  std::map<std::string, double> values = ByKey(samples);
  CHECK(values.at("gate_beta_mean/1/mlp") == 2.0);
  CHECK(values.at("gate_beta_mean/0/attn") == Approx(0.01));
  CHECK(values.at("gate_discrepancy_rms/0/attn") == Approx(3.0));
  CHECK(values.at("gate_beta_bucket/mlp/0.95") == 0);
  CHECK(values.at("gate_beta_bucket/mlp/1.05") == 4);
  CHECK(values.at("gate_beta_bucket/mlp/2") == 8);
  CHECK(values.at("gate_beta_bucket/mlp/+Inf") == 8);
  CHECK(values.at("gate_beta_bucket/attn/0.05") == 8);
  CHECK(values.at("gate_beta_sum/mlp") == Approx(12.0));
  CHECK(values.at("gate_saturation_low/attn") == 1.0);
  CHECK(values.at("gate_saturation_high/mlp") == 0.5);
  // 2 sublayers x (12 buckets, sum, low, high) and 2 layers x 2 sublayers x 2.
  CHECK(values.size() == 2 * 15 + 8);

  samples.clear();
  AddGateSamples(Sums(), /*by_layer=*/false, &samples);
  CHECK(samples.size() == 2 * 15);
}

TEST_CASE("Counts add up between recorded points, and what is not finite is left out") {
  StepResult result{.loss = std::nan(""), .gradient_norm = 2.0, .finite = false, .clipped = true};
  result.data_read_bytes = 10;
  StepCounts counts;
  counts.Add(result);
  counts.Add(result);
  counts.phases.Add(Phase::kForward, 0.25);
  counts.phases.Add(Phase::kForward, 0.5);
  const std::map<std::string, double> values = ByKey(StepSamples(result, counts, true));
  CHECK_FALSE(values.contains("train_loss"));
  CHECK(values.at("gradient_norm") == 2.0);
  CHECK(values.at("nonfinite_steps") == 2);
  CHECK(values.at("gradient_clips") == 2);
  CHECK(values.at("data_read_bytes") == 20);
  CHECK(values.at("phase_seconds/forward") == 0.75);
  CHECK_FALSE(values.contains("phase_seconds/eval"));
  for (const char* of_several : {"straggler_ratio", "comm_bytes", "comm_seconds", "mfu_ratio"}) {
    CHECK_FALSE(values.contains(of_several));
  }
}

TEST_CASE("Several ranks are compared: the slowest by the median, and what they exchanged") {
  StepResult result{.rank_seconds = {0.5, 1.5, 0.25}, .comm_bytes = 100, .comm_seconds = 0.125};
  StepCounts counts;
  counts.Add(result);
  counts.Add(result);
  std::map<std::string, double> values = ByKey(StepSamples(result, counts, true));
  CHECK(values.at("straggler_ratio") == 3.0);
  CHECK(values.at("comm_bytes") == 200);
  CHECK(values.at("comm_seconds") == 0.125);
  result.rank_seconds = {1.0, 3.0};
  CHECK(ByKey(StepSamples(result, counts, true)).at("straggler_ratio") == 1.5);
}

TEST_CASE("Utilization is what a rank did by what its device could have done") {
  std::vector<Sample> samples;
  AddUtilization(/*flops=*/2e12, /*seconds=*/0.5, /*peak_flops_per_second=*/16e12, &samples);
  CHECK(ByKey(samples).at("mfu_ratio") == 0.25);
}

TEST_CASE("A validation has a point for each position that asks, or for runs of very many") {
  Validation validation{.loss = 1, .accuracy = 0.5, .answers = 8};
  validation.by_position = {{8, 0.25}, {9, 0.75}};
  std::map<std::string, double> values = ByKey(ValidationSamples(validation, 2.0));
  CHECK(values.at("val_position_accuracy/8") == 0.25);
  CHECK(values.at("val_position_accuracy/9") == 0.75);
  CHECK(values.size() == 5);

  validation.by_position.clear();
  for (int64_t i = 0; i < 601; ++i) validation.by_position.push_back({i, i < 3 ? 0.9 : 0.3});
  values = ByKey(ValidationSamples(validation, 2.0));
  CHECK(values.size() == 3 + 201);  // Runs of three, the last of one.
  CHECK(values.at("val_position_accuracy/2") == Approx(0.9));
  CHECK(values.at("val_position_accuracy/5") == Approx(0.3));
  CHECK(values.at("val_position_accuracy/600") == Approx(0.3));
}

}  // namespace
}  // namespace ddl
