// The model against the authors' numbers. Tolerances are those of ddl.md section 5.
#include "worker/model/transformer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <iostream>

#include "tests/worker/model/golden.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

constexpr double kForwardTolerance = 5e-6;
constexpr double kGradientTolerance = 2e-5;

// The model of a golden file with the file's own weights; every one of them is used.
Transformer LoadModel(const Golden& golden) {
  Transformer model(golden.Config(), /*seed=*/0, at::kCPU);
  const at::NoGradGuard no_grad;
  size_t used = 0;
  for (const Parameter& parameter : model.parameters().all()) {
    INFO(parameter.name);
    const at::Tensor& value = golden["param/" + parameter.name];
    REQUIRE(value.sizes() == parameter.value.sizes());
    at::Tensor(parameter.value).copy_(value);
    ++used;
  }
  const auto count =
      std::count_if(golden.tensors.begin(), golden.tensors.end(),
                    [](const auto& entry) { return entry.first.starts_with("param/"); });
  REQUIRE(used == static_cast<size_t>(count));
  return model;
}

// (B,T,n,d) as the files have it: (B,T,d,n), or (B,T,d) for a scalar state.
at::Tensor AsGolden(const at::Tensor& state) {
  return state.size(2) == 1 ? state.squeeze(2) : state.transpose(2, 3);
}

void CheckForwardAndGradient(const std::string& name) {
  const std::optional<Golden> golden = ReadGolden(name);
  if (!golden) {
    std::cout << "ddl test skipped: no golden file " << name << "\n";
    return;
  }
  Transformer model = LoadModel(*golden);
  std::vector<at::Tensor> states;
  const at::Tensor logits = model.Logits((*golden)["idx"], {.block_states = &states});
  const at::Tensor& targets = (*golden)["tgt"];
  const at::Tensor loss =
      Transformer::LossSum(logits, targets) / static_cast<double>(targets.numel());
  for (size_t i = 0; i < states.size(); ++i) {
    INFO("block " << i);
    CHECK(MaxError(AsGolden(states[i]), (*golden)["block_out/" + std::to_string(i)]) <
          kForwardTolerance);
  }
  CHECK(MaxError(logits, (*golden)["logits"]) < kForwardTolerance);
  CHECK(MaxError(loss.reshape({1}), (*golden)["loss"]) < kForwardTolerance);

  loss.backward();
  double largest = 0;
  for (const auto& [key, tensor] : golden->tensors) {
    if (key.starts_with("grad/")) largest = std::max(largest, tensor.abs().max().item<double>());
  }
  for (const Parameter& parameter : model.parameters().all()) {
    INFO(parameter.name);
    const at::Tensor& want = (*golden)["grad/" + parameter.name];
    const double scale = std::max(want.abs().max().item<double>(), largest / 10);
    CHECK((parameter.value.grad() - want).abs().max().item<double>() / scale < kGradientTolerance);
  }
}

TEST_CASE("The additive model gives the authors' states, logits, loss and gradients") {
  CheckForwardAndGradient("additive");
}
TEST_CASE("DDL with one value channel gives the authors' numbers") {
  CheckForwardAndGradient("ddl_dv1");
}
TEST_CASE("DDL with channel compression and repeated embedding gives the authors' numbers") {
  CheckForwardAndGradient("ddl_cc_noec");
}
TEST_CASE("DDL with channel compression and embedding convolution gives the authors' numbers") {
  CheckForwardAndGradient("ddl_cc");
}
TEST_CASE("The write-only control with several channels gives the reference numbers") {
  CheckForwardAndGradient("write_only_cc");
}
TEST_CASE("The write-only control with one channel gives the reference numbers") {
  CheckForwardAndGradient("write_only_dv1");
}

}  // namespace
}  // namespace ddl
