// The estimate of memory of common/architecture.h against what the tensors of a real step hold.
#include <ATen/Parallel.h>

#include <iomanip>
#include <iostream>

#include "common/architecture.h"
#include "tests/worker/model/sized_models.h"
#include "tests/worker/optim/allocated_peak.h"
#include "tests/worker/torch_test.h"
#include "worker/model/transformer.h"
#include "worker/optim/optimizer.h"

namespace ddl {
namespace {

constexpr int64_t kSequences = 4;
constexpr ModelSize kSize{
    .d_model = 128, .n_layers = 4, .n_heads = 4, .d_ff = 344, .vocab_size = 512, .tokens = 64};

struct Held {
  int64_t before_step = 0;  // Weights, gradients and moments.
  int64_t peak = 0;
};

// Of one step of a model and its optimizer, made for it and gone behind it.
Held HeldByStep(const ModelConfig& config, bool use_muon) {
  const at::Tensor tokens = at::randint(config.vocab_size, {kSequences, kSize.tokens}, at::kLong);
  const AllocatedPeak allocated;
  Transformer model(config, 1, at::kCPU);
  Optimizer optimizer({.use_muon = use_muon}, &model.parameters());
  const int64_t before = allocated.held_bytes();
  Transformer::LossSum(model.Logits(tokens), tokens).backward();
  ClipGradients(model.parameters().flat_gradients(), 1.0);
  optimizer.Step(1.0);
  return {before, allocated.peak_bytes()};
}

// The estimate counts what is kept; the working numbers of one sublayer come on top of it, and
// weigh the more, the fewer layers there are.
TEST_CASE("A real step holds what the estimate of memory says, and at most a fifth more") {
  at::set_num_threads(1);
  for (const SizedModel& variant : SizedModels(kSize)) {
    for (const bool use_muon : {false, true}) {
      INFO(variant.name << (use_muon ? " under Muon" : ""));
      const MemoryEstimate want = EstimateMemory(variant.architecture, kSequences, use_muon);
      const auto fixed =
          static_cast<double>(want.parameter_bytes + want.gradient_bytes + want.optimizer_bytes);
      const Held held = HeldByStep(variant.config, use_muon);
      const double fixed_ratio = static_cast<double>(held.before_step) / fixed;
      const double peak_ratio =
          static_cast<double>(held.peak) / static_cast<double>(want.total_bytes);
      std::cout << std::left << std::setw(42) << variant.name << (use_muon ? "muon  " : "adamw ")
                << std::fixed << std::setprecision(3) << peak_ratio << "\n";
      CHECK(fixed_ratio == Approx(1).margin(0.01));
      CHECK(peak_ratio > 0.9);
      CHECK(peak_ratio < 1.2);
    }
  }
}

}  // namespace
}  // namespace ddl
