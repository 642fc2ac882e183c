#include <map>
#include <random>

#include "common/architecture.h"
#include "tests/worker/model/variants.h"
#include "tests/worker/torch_test.h"
#include "worker/model/model_shapes.h"
#include "worker/model/transformer.h"

namespace ddl {
namespace {

ModelConfig SmallModel(const std::string& kind, int64_t channels) {
  ModelConfig config{
      .d_model = 24, .n_layers = 2, .n_heads = 3, .head_dim = 10, .d_ff = 50, .vocab_size = 31};
  config.residual = {.kind = kind,
                     .value_channels = channels,
                     .compress = channels > 1 ? "channel" : "none",
                     .compress_kernel = channels,
                     .embed_conv = channels > 1,
                     .beta_hidden = channels > 1 ? 6 : 0};
  return config;
}

TEST_CASE("The kinds are those that a spec may name") {
  CHECK(ResidualKinds() == std::vector<std::string>{"additive", "ddl", "write_only",
                                                    "seed_deepdeltares", "seed_write_only",
                                                    "hyper_connections"});
}

TEST_CASE("Residuals share the initial values of all that they share") {
  const Transformer additive(SmallModel("additive", 1), /*seed=*/9, at::kCPU);
  for (const std::string kind : {"ddl", "write_only"}) {
    for (const int64_t channels : {1, 4}) {
      const Transformer other(SmallModel(kind, channels), /*seed=*/9, at::kCPU);
      std::map<std::string, at::Tensor> values;
      for (const Parameter& parameter : other.parameters().all()) {
        values[parameter.name] = parameter.value;
      }
      for (const Parameter& parameter : additive.parameters().all()) {
        INFO(parameter.name);
        REQUIRE(values.contains(parameter.name));
        CHECK(at::equal(values[parameter.name], parameter.value));
      }
    }
  }
}

TEST_CASE("A model of any form has as many weights as its architecture says") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3; ++round) {
    for (const Form& form : AllForms(&random)) {
      if (form.model.residual.compress != "none" && form.model.residual.value_channels == 1)
        continue;
      INFO(form.name);
      const Transformer model(form.model, 1, at::kCPU);
      CHECK(static_cast<uint64_t>(model.parameters().count()) ==
            ParameterCount(ShapesOf(form.model)));
    }
  }
}

TEST_CASE("Static weights of hyper-connections do not decay, and all others do") {
  ModelConfig config = SmallModel("hyper_connections", 1);
  const Transformer model(config, 1, at::kCPU);
  for (const Parameter& parameter : model.parameters().all()) {
    INFO(parameter.name);
    CHECK(parameter.decays == (parameter.name.find(".static_") == std::string::npos));
  }
}

TEST_CASE("At first hyper-connections read one stream in turn and add their output to all") {
  ModelConfig config = SmallModel("hyper_connections", 1);
  config.residual.streams = 3;
  Parameters parameters(1);
  const std::unique_ptr<Residual> residual = MakeResidual(config, &parameters);
  const at::Tensor state = at::randn({1, 2, 3, 24});
  for (int64_t index = 0; index < 4; ++index) {
    SublayerValues values{.layer = index / 2, .sublayer = static_cast<Sublayer>(index % 2)};
    residual->Compress(state, &values);
    CHECK(at::allclose(values.x_in.detach(), state.select(2, index % 3)));
    values.h = at::randn({1, 2, 24});
    CHECK(at::allclose(residual->Rewrite(state, values, nullptr).detach(),
                       state + values.h.unsqueeze(2)));
  }
}

}  // namespace
}  // namespace ddl
