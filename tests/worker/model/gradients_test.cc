// Gradients of every weight of every form of a model, against central differences in float64.
#include <ATen/Parallel.h>

#include <random>

#include "tests/worker/model/variants.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

constexpr double kStep = 1e-5;

double LossOf(const Transformer& model, const at::Tensor& tokens, const at::Tensor& targets) {
  const at::NoGradGuard no_grad;
  return Transformer::LossSum(model.Logits(tokens), targets).item<double>();
}

// The derivative along `direction`: central differences at two steps, of which the error in the
// square of the step is taken away.
double Slope(const Transformer& model, at::Tensor value, const at::Tensor& direction,
             const at::Tensor& tokens, const at::Tensor& targets) {
  const at::NoGradGuard no_grad;
  const at::Tensor start = value.clone();
  const auto loss = [&](double step) {
    value.copy_(start + step * direction);
    return LossOf(model, tokens, targets);
  };
  const auto central = [&](double step) { return (loss(step) - loss(-step)) / (2 * step); };
  const double slope = (4 * central(kStep / 2) - central(kStep)) / 3;
  value.copy_(start);
  return slope;
}

TEST_CASE("Every weight of every form has the gradient that differences give") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  at::set_num_threads(1);  // Tensors this small are slower on more.
  for (const Form& form : AllForms(&random)) {
    INFO(form.name);
    Transformer model = RandomModel(form.model, at::kDouble);
    const at::Tensor tokens = at::randint(form.model.vocab_size, {2, 6}, at::kLong);
    const at::Tensor targets = at::randint(form.model.vocab_size, {2, 6}, at::kLong);
    Transformer::LossSum(model.Logits(tokens), targets).backward();
    for (const Parameter& parameter : model.parameters().all()) {
      INFO(parameter.name);
      const at::Tensor gradient = parameter.value.grad();
      // All of the tensor at once in a random direction, and most of it where it is steepest.
      at::Tensor direction = at::randn_like(gradient);
      direction.view(-1)[gradient.abs().view(-1).argmax()] = 3.0;
      const double want = Slope(model, parameter.value, direction, tokens, targets);
      const double got = (gradient * direction).sum().item<double>();
      CHECK(got == Approx(want).epsilon(1e-5).margin(1e-6));
    }
  }
}

}  // namespace
}  // namespace ddl
