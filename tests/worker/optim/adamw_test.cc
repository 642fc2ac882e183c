#include "worker/optim/adamw.h"

#include <cmath>
#include <iostream>
#include <optional>
#include <vector>

#include "tests/worker/model/golden.h"
#include "tests/worker/torch_test.h"
#include "worker/model/transformer.h"

namespace ddl {
namespace {

TEST_CASE("AdamW follows its definition in float64") {
  constexpr int64_t kCount = 37;
  const AdamWConfig config{.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
  Parameters parameters(1);
  parameters.AddNormal("w", {kCount}, 1.0);
  parameters.Flatten(at::kCPU);
  AdamW optimizer(config, &parameters);
  std::vector<double> w(kCount);
  std::vector<double> m(kCount);
  std::vector<double> v(kCount);
  for (int64_t i = 0; i < kCount; ++i) w[i] = parameters.flat()[i].item<float>();
  for (int step = 1; step <= 20; ++step) {
    const double rate = 1e-2 / step;
    at::Tensor(parameters.flat_gradients()).normal_();
    for (int64_t i = 0; i < kCount; ++i) {
      const double g = parameters.flat_gradients()[i].item<float>();
      w[i] -= rate * config.weight_decay * w[i];
      m[i] = config.beta1 * m[i] + (1 - config.beta1) * g;
      v[i] = config.beta2 * v[i] + (1 - config.beta2) * g * g;
      const double first = m[i] / (1 - std::pow(config.beta1, step));
      const double second = v[i] / (1 - std::pow(config.beta2, step));
      w[i] -= rate * first / (std::sqrt(second) + config.eps);
    }
    optimizer.Step(rate);
  }
  for (int64_t i = 0; i < kCount; ++i) {
    CHECK(parameters.flat()[i].item<double>() == Approx(w[i]).margin(2e-6));
  }
  CHECK(optimizer.steps() == 20);
}

TEST_CASE("Clipping scales all gradients to the largest norm, and only larger ones") {
  at::Tensor gradients = at::tensor({3.0, 4.0}, at::kFloat);
  CHECK(ClipGradients(gradients, 10).item<double>() == Approx(5));
  CHECK(at::equal(gradients, at::tensor({3.0, 4.0}, at::kFloat)));
  CHECK(ClipGradients(gradients, 0).item<double>() == Approx(5));
  CHECK(at::equal(gradients, at::tensor({3.0, 4.0}, at::kFloat)));
  CHECK(ClipGradients(gradients, 1).item<double>() == Approx(5));
  CHECK(at::allclose(gradients, at::tensor({0.6, 0.8}, at::kFloat), 1e-6));
}

// Five steps on one repeated batch, as the authors' code takes them.
void CheckTraining(const std::string& name) {
  const std::optional<Golden> golden = ReadGolden(name);
  if (!golden) {
    std::cout << "ddl test skipped: no golden file " << name << "\n";
    return;
  }
  Transformer model(golden->Config(), 0, at::kCPU);
  Parameters& parameters = model.parameters();
  {
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : parameters.all()) {
      at::Tensor(parameter.value).copy_((*golden)["param/" + parameter.name]);
    }
  }
  AdamW optimizer({.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1}, &parameters);
  const at::Tensor& targets = (*golden)["tgt"];
  at::Tensor losses = at::zeros({5});
  at::Tensor norms = at::zeros({5});
  for (int64_t step = 0; step < 5; ++step) {
    at::Tensor(parameters.flat_gradients()).zero_();
    const at::Tensor loss = Transformer::LossSum(model.Logits((*golden)["idx"]), targets) /
                            static_cast<double>(targets.numel());
    loss.backward();
    losses[step] = loss.detach();
    norms[step] = ClipGradients(parameters.flat_gradients(), 1.0);
    optimizer.Step(1e-3);
  }
  CHECK(MaxError(losses, (*golden)["train/loss"]) < 5e-6);
  CHECK(MaxError(norms, (*golden)["train/grad_norm"]) < 5e-5);
  for (const Parameter& parameter : parameters.all()) {
    INFO(parameter.name);
    const at::Tensor& want = (*golden)["train/param/" + parameter.name];
    const at::Tensor moved = want - (*golden)["param/" + parameter.name];
    CHECK(((parameter.value - want).norm() / moved.norm()).item<double>() < 5e-3);
  }
}

TEST_CASE("Five training steps end at the authors' weights, losses and gradient norms") {
  for (const char* name :
       {"additive", "ddl_dv1", "ddl_cc_noec", "ddl_cc", "write_only_cc", "write_only_dv1"}) {
    INFO(name);
    CheckTraining(name);
  }
}

}  // namespace
}  // namespace ddl
