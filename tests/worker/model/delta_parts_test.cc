// Each part against plain loops in float64.
#include "worker/model/delta_parts.h"

#include <cmath>

#include "tests/worker/model/loops.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

ModelConfig PartsConfig(int64_t channels) {
  ModelConfig config{.d_model = 6, .n_layers = 1};
  config.residual.value_channels = channels;
  return config;
}

TEST_CASE("The direction is h over the root of its squared norm plus k_eps squared") {
  const at::Tensor h = at::randn({2, 3, 5}, at::kDouble);
  for (const double k_eps : {1e-5, 0.7}) {
    const at::Tensor k = Direction(h, k_eps);
    const at::Tensor want = h / (h.square().sum(-1, true) + k_eps * k_eps).sqrt();
    CHECK((k - want).abs().max().item<double>() < 1e-12);
  }
}

TEST_CASE("The embedding convolution is causal, depthwise, and at first the identity") {
  constexpr int64_t kChannels = 3;
  Parameters parameters(1);
  const EmbeddingConvolution convolution(PartsConfig(kChannels), "input_embed", &parameters);
  const at::Tensor embedding = at::randn({1, 7, 6});
  CHECK(at::equal(convolution.Expand(embedding).detach(),
                  embedding.unsqueeze(2).expand({1, 7, kChannels, 6})));
  Randomize(parameters);
  const at::Tensor weight = parameters.all()[0].value;
  const at::Tensor state = convolution.Expand(embedding);
  for (int64_t t = 0; t < 7; ++t) {
    for (int64_t j = 0; j < kChannels; ++j) {
      for (int64_t i = 0; i < 6; ++i) {
        double want = 0;
        for (int64_t tap = 0; tap < 4; ++tap) {
          const int64_t from = t - 3 + tap;
          if (from < 0) continue;
          want += At(weight, {i * kChannels + j, 0, tap}) * At(embedding, {0, from, i});
        }
        CHECK(At(state, {0, t, j, i}) == Approx(want).margin(1e-5));
      }
    }
  }
}

TEST_CASE("A gate starts at beta_init and lies between 0 and 2") {
  for (const int64_t hidden : {0, 5}) {
    for (const double beta : {0.0, 0.3, 1.0, 1.9, 2.0}) {
      ModelConfig config = PartsConfig(1);
      config.residual.beta_hidden = hidden;
      config.residual.beta_init = beta;
      Parameters parameters(1);
      const Gate gate(config, "ddl_attn", &parameters);
      CHECK(At(gate.Beta(at::zeros({1, 1, 6})), {0, 0, 0}) == Approx(beta).margin(1e-5));
      const at::Tensor wild = gate.Beta(at::randn({2, 50, 6}) * 100);
      CHECK(wild.min().item<double>() >= 0);
      CHECK(wild.max().item<double>() <= 2);
    }
  }
}

TEST_CASE("A two-layer gate is 2 sigmoid(w2 tanh(W1 c) + b), and a value head may be linear") {
  ModelConfig config = PartsConfig(2);
  config.residual.beta_hidden = 3;
  config.residual.v_sigmoid = false;
  Parameters parameters(1);
  const Gate gate(config, "ddl_mlp", &parameters);
  const ValueHead head(config, "ddl_mlp", &parameters);
  REQUIRE(parameters.all()[0].name == "ddl_mlp.beta_in.weight");
  REQUIRE(parameters.all()[2].name == "ddl_mlp.beta_out.bias");
  Randomize(parameters);
  const at::Tensor c = at::randn({1, 1, 6});
  double logit = At(parameters.all()[2].value, {0});
  for (int64_t m = 0; m < 3; ++m) {
    double hidden = 0;
    for (int64_t i = 0; i < 6; ++i) {
      hidden += At(parameters.all()[0].value, {m, i}) * At(c, {0, 0, i});
    }
    logit += At(parameters.all()[1].value, {0, m}) * std::tanh(hidden);
  }
  CHECK(At(gate.Beta(c), {0, 0, 0}) == Approx(2 / (1 + std::exp(-logit))).epsilon(1e-5));

  double v = At(parameters.all()[4].value, {1});
  for (int64_t i = 0; i < 6; ++i) v += At(parameters.all()[3].value, {1, i}) * At(c, {0, 0, i});
  CHECK(At(head.Value(c, at::Tensor()), {0, 0, 1}) == Approx(v).margin(1e-5));
}

}  // namespace
}  // namespace ddl
