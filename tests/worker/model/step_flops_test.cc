// The cost of an architecture against a count of every operation of a real training step.
#include <iomanip>
#include <iostream>
#include <string>

#include "absl/strings/str_join.h"
#include "common/architecture.h"
#include "tests/worker/model/flop_counter.h"
#include "tests/worker/model/sized_models.h"
#include "tests/worker/torch_test.h"
#include "worker/model/transformer.h"

namespace ddl {
namespace {

// Wide enough that what FlopsPerToken leaves out by its rule (norms, activations, softmax,
// rotations) is small beside the products, as it is in the presets.
constexpr ModelSize kSize{
    .d_model = 768, .n_layers = 1, .n_heads = 6, .d_ff = 2048, .vocab_size = 1024, .tokens = 64};

TEST_CASE("FLOPs of the architecture are within 1 % of a count of every operation of a step") {
  for (const SizedModel& variant : SizedModels(kSize)) {
    INFO(variant.name);
    const Transformer model(variant.config, 1, at::kCPU);
    const at::Tensor indices = at::randint(kSize.vocab_size, {2, kSize.tokens}, at::kLong);
    FlopCounter forward_counter;
    const at::Tensor loss = Transformer::LossSum(model.Logits(indices), indices);
    const CountedFlops forward = forward_counter.Stop();
    FlopCounter backward_counter;
    loss.backward();
    const CountedFlops backward = backward_counter.Stop();
    INFO("unknown: " << absl::StrJoin(forward.unknown, " ") << " "
                     << absl::StrJoin(backward.unknown, " "));
    REQUIRE(forward.unknown.empty());
    REQUIRE(backward.unknown.empty());
    const auto tokens = static_cast<double>(indices.numel());
    const double forward_ratio =
        ForwardFlopsPerToken(variant.architecture) * tokens / forward.total;
    const double backward_ratio =
        BackwardFlopsPerToken(variant.architecture) * tokens / backward.total;
    std::cout << std::left << std::setw(48) << variant.name << std::fixed << std::setprecision(4)
              << " forward " << forward_ratio << " backward " << backward_ratio << "\n";
    CHECK(forward_ratio == Approx(1).margin(0.01));
    CHECK(backward_ratio == Approx(1).margin(0.01));
  }
}

TEST_CASE("A model of every residual has as many weights as its architecture says") {
  for (const SizedModel& variant : SizedModels()) {
    INFO(variant.name);
    const Transformer model(variant.config, 1, at::kCPU);
    CHECK(static_cast<uint64_t>(model.parameters().count()) ==
          ParameterCount(variant.architecture));
  }
}

}  // namespace
}  // namespace ddl
