#include <map>

#include "common/architecture.h"
#include "tests/worker/torch_test.h"
#include "worker/model/transformer.h"

namespace ddl {
namespace {

ModelConfig Config(const std::string& kind, int64_t channels) {
  ModelConfig config{
      .d_model = 24, .n_layers = 2, .n_heads = 3, .head_dim = 10, .d_ff = 50, .vocab_size = 31};
  config.residual = {.kind = kind, .value_channels = channels, .beta_hidden = channels > 1 ? 6 : 0};
  return config;
}

TEST_CASE("The kinds are those that a spec may name") {
  CHECK(ResidualKinds() == std::vector<std::string>{"additive", "ddl", "write_only"});
}

TEST_CASE("Residuals share the initial values of all that they share") {
  const Transformer additive(Config("additive", 1), /*seed=*/9, at::kCPU);
  for (const std::string kind : {"ddl", "write_only"}) {
    for (const int64_t channels : {1, 4}) {
      const Transformer other(Config(kind, channels), /*seed=*/9, at::kCPU);
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

TEST_CASE("A model has as many weights as the architecture says") {
  for (const auto& [kind, residual] :
       {std::pair{"additive", ResidualKind::kAdditive}, std::pair{"ddl", ResidualKind::kDdl},
        std::pair{"write_only", ResidualKind::kWriteOnly}}) {
    for (const int64_t channels : {1, 4}) {
      if (residual == ResidualKind::kAdditive && channels > 1) continue;
      const ModelConfig config = Config(kind, channels);
      const Transformer model(config, 1, at::kCPU);
      INFO(kind << " with " << channels << " channels");
      CHECK(static_cast<uint64_t>(model.parameters().count()) ==
            ParameterCount({.d_model = config.d_model,
                            .n_layers = config.n_layers,
                            .n_heads = config.n_heads,
                            .head_dim = config.head_dim,
                            .d_ff = config.d_ff,
                            .max_seq_len = 16,
                            .vocab_size = config.vocab_size,
                            .residual = residual,
                            .value_channels = channels,
                            .embed_conv = channels > 1,
                            .embed_conv_kernel = config.residual.embed_conv_kernel,
                            .beta_hidden = config.residual.beta_hidden}));
    }
  }
}

}  // namespace
}  // namespace ddl
