#include "worker/optim/optimizer.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

// A miniature of a model: an embedding, a vector, two matrices and a convolution.
Parameters Weights() {
  Parameters parameters(7);
  parameters.AddNormal("transformer.wte.weight", {11, 4}, 0.02);
  parameters.AddConstant("ln_f.weight", {4}, 1.0);
  parameters.AddNormal("a.weight", {6, 4}, 0.3);
  parameters.AddNormal("b.weight", {4, 6}, 0.3);
  parameters.AddNormal("input_embed.conv.weight", {8, 1, 3}, 0.3);
  parameters.AddConstant("static", {3}, 1.0);
  parameters.SetUndecayed("static");
  parameters.Flatten(at::kCPU);
  return parameters;
}

at::Tensor Of(const Parameters& parameters, const std::string& name) {
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.name == name) return parameter.value.detach();
  }
  FAIL("no weight " << name);
  return {};
}

TEST_CASE("The seed's recipe gives Muon the matrices but the embedding, and AdamW the rest") {
  Parameters parameters = Weights();
  const Optimizer seed({.use_muon = true}, &parameters);
  CHECK(seed.MuonWeights() == std::vector<std::string>{"a.weight", "b.weight"});
  const Optimizer paper({}, &parameters);
  CHECK(paper.MuonWeights().empty());
  std::vector<std::string> names;
  for (const NamedTensor& tensor : seed.state()) names.push_back(tensor.name);
  CHECK(names == std::vector<std::string>{
                     "first_moment/transformer.wte.weight", "first_moment/ln_f.weight",
                     "first_moment/a.weight", "first_moment/b.weight",
                     "first_moment/input_embed.conv.weight", "first_moment/static",
                     "second_moment/transformer.wte.weight", "second_moment/ln_f.weight",
                     "second_moment/input_embed.conv.weight", "second_moment/static"});
  CHECK(paper.state().size() == 12);
}

TEST_CASE("Each group moves as its optimizer alone would move it, at its own rate") {
  Parameters parameters = Weights();
  at::manual_seed(4);
  at::Tensor(parameters.flat_gradients()).normal_();
  Parameters alone = Weights();
  at::Tensor(alone.flat_gradients()).copy_(parameters.flat_gradients());
  const OptimizerConfig config{
      .use_muon = true, .adamw = {.weight_decay = 0.2}, .adamw_peak = 0.006, .muon_peak = 0.024};
  Optimizer optimizer(config, &parameters);
  AdamW adamw(config.adamw, &alone);
  at::Tensor matrix = Of(alone, "a.weight").clone();
  const at::Tensor momentum = at::zeros_like(matrix);
  for (const double factor : {0.5, 1.0, 0.25}) {
    optimizer.Step(factor);
    for (const Parameter& parameter : alone.all()) {
      if (parameter.name != "a.weight") continue;
      MuonStep(config.muon, 0.024 * factor, Parameters::Slice(alone.flat_gradients(), parameter),
               momentum, matrix);
    }
    adamw.Step(0.006 * factor);
  }
  CHECK(at::equal(Of(parameters, "a.weight"), matrix));
  for (const char* name : {"transformer.wte.weight", "ln_f.weight", "input_embed.conv.weight"}) {
    INFO(name);
    CHECK(at::allclose(Of(parameters, name), Of(alone, name), 1e-6, 1e-8));
  }
  CHECK(optimizer.steps() == 3);
  CHECK(optimizer.Rate(0.5) == 0.012);
}

TEST_CASE("A weight that is not decayed stays where it is without a gradient, others shrink") {
  Parameters parameters = Weights();
  at::Tensor(parameters.flat_gradients()).zero_();
  Optimizer optimizer({.adamw = {.weight_decay = 0.1}, .adamw_peak = 0.5}, &parameters);
  optimizer.Step(1.0);
  CHECK(at::equal(Of(parameters, "static"), at::ones({3})));
  CHECK(at::allclose(Of(parameters, "ln_f.weight"), at::full({4}, 0.95)));
}

// Takes `steps` steps whose gradients follow from their number.
void Walk(int64_t first, int64_t steps, Parameters* parameters, Optimizer* optimizer) {
  for (int64_t step = first; step < first + steps; ++step) {
    at::manual_seed(static_cast<uint64_t>(step));
    at::Tensor(parameters->flat_gradients()).normal_();
    optimizer->Step(1.0 / static_cast<double>(step));
  }
}

TEST_CASE("State that is written back goes on with the same bits, whichever optimizer it is of") {
  for (const bool muon : {false, true}) {
    INFO("muon " << muon);
    const OptimizerConfig config{.use_muon = muon};
    Parameters whole = Weights();
    Optimizer uninterrupted(config, &whole);
    Walk(1, 3, &whole, &uninterrupted);
    Parameters resumed = Weights();
    Optimizer again(config, &resumed);
    at::Tensor(resumed.flat()).copy_(whole.flat());
    for (size_t i = 0; i < again.state().size(); ++i) {
      CHECK(again.state()[i].name == uninterrupted.state()[i].name);
      at::Tensor(again.state()[i].value).copy_(uninterrupted.state()[i].value);
    }
    again.set_steps(uninterrupted.steps());
    Walk(4, 3, &whole, &uninterrupted);
    Walk(4, 3, &resumed, &again);
    CHECK(at::equal(whole.flat(), resumed.flat()));
  }
}

}  // namespace
}  // namespace ddl
