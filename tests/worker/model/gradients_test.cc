// Gradients of every weight of every form of a model, number by number, against central differences
// in float64.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/worker/model/variants.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

constexpr double kDifference = 1e-5;
constexpr double kGradientError = 1e-6;

struct Example {
  at::Tensor tokens, targets;
};

double LossOf(const Transformer& model, const Example& example) {
  return Transformer::LossSum(model.Logits(example.tokens), example.targets).item<double>();
}

// The slope of the loss over one number of a weight.
class Slope {
 public:
  Slope(const Transformer& model, const Example& example, double* number)
      : model_(model), example_(example), number_(*number), start_(*number) {}

  double Central(double step) const { return (Loss(step) - Loss(-step)) / (2 * step); }
  // The error in the square of the step is taken away.
  double Refined(double step) const { return (4 * Central(step / 2) - Central(step)) / 3; }
  // From one side alone, of second order: backwards for a negative step.
  double OneSided(double step) const { return (4 * Rise(step) - Rise(2 * step)) / (2 * step); }

 private:
  double Loss(double step) const {
    number_ = start_ + step;
    const double loss = LossOf(model_, example_);
    number_ = start_;
    return loss;
  }
  double Rise(double step) const { return Loss(step) - Loss(0); }

  const Transformer& model_;
  const Example& example_;
  double& number_;
  double start_;
};

// How far `got` is from the slope. Where a loss is very curved, a finer difference counts; where a
// kink of the seed's |h| lies within the step, that of the smooth side.
double Error(double got, const Slope& slope, double bound) {
  const double error = std::abs(slope.Central(kDifference) - got);
  if (error < bound) return error;
  return std::min({error, std::abs(slope.Refined(kDifference) - got),
                   std::abs(slope.Refined(kDifference / 10) - got),
                   std::abs(slope.OneSided(kDifference) - got),
                   std::abs(slope.OneSided(-kDifference) - got)});
}

// The largest error over the numbers of one weight, relative to its largest gradient if above 1.
double LargestError(const Transformer& model, const Example& example, const Parameter& parameter) {
  const at::NoGradGuard no_grad;
  const at::Tensor gradient = parameter.value.grad();
  auto* const numbers = static_cast<double*>(parameter.value.data_ptr());
  const double scale = std::max(1.0, gradient.abs().max().item<double>());
  double largest = 0;
  for (int64_t i = 0; i < gradient.numel(); ++i) {
    const Slope slope(model, example, numbers + i);
    largest =
        std::max(largest, Error(gradient.data_ptr<double>()[i], slope, kGradientError * scale));
  }
  return largest / scale;
}

TEST_CASE("Every number of every weight of every form has the gradient that differences give") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  at::set_num_threads(1);  // Tensors this small are slower on more.
  for (const Form& form : AllForms(&random)) {
    INFO(form.name);
    Transformer model = RandomModel(form.model, at::kDouble);
    const Example example = {at::randint(form.model.vocab_size, {2, 5}, at::kLong),
                             at::randint(form.model.vocab_size, {2, 5}, at::kLong)};
    Transformer::LossSum(model.Logits(example.tokens), example.targets).backward();
    for (const Parameter& parameter : model.parameters().all()) {
      INFO(parameter.name);
      CHECK(LargestError(model, example, parameter) < kGradientError);
    }
  }
}

}  // namespace
}  // namespace ddl
