#include "tests/worker/model/sized_models.h"

#include <cmath>
#include <limits>

#include "worker/model/model_shapes.h"

namespace ddl {
namespace {

struct NamedResidual {
  std::string name;
  ResidualConfig config;
};

std::vector<NamedResidual> Residuals() {
  const ResidualConfig channel{
      .value_channels = 4, .compress = "channel", .compress_kernel = 4, .embed_conv = true};
  ResidualConfig token = channel;
  token.compress = "token";
  token.compress_kernel = 3;
  ResidualConfig plain = channel;
  plain.embed_conv = false;
  std::vector<NamedResidual> residuals = {
      {"additive", {.kind = "additive"}},
      {"ddl/1", {}},
      {"ddl/1 with a two-layer gate", {.beta_hidden = 8}},
      {"ddl/4", channel},
      {"ddl/4 without embedding convolution", plain},
      {"ddl/4/token", token},
      {"write_only/1", {}},
      {"write_only/4", channel},
      {"write_only/4/token", token},
      {"seed_deepdeltares", {.beta_hidden = 8, .k_eps = 1e-6}},
      {"seed_write_only", {.beta_hidden = 8, .k_eps = 1e-6}},
      {"hyper_connections/3", {.streams = 3}},
      {"hyper_connections/3/static", {.streams = 3, .dynamic = false}},
  };
  for (NamedResidual& residual : residuals) {
    residual.config.kind = residual.name.substr(0, residual.name.find_first_of("/ "));
  }
  return residuals;
}

ModelConfig Backbone(const ModelSize& size, bool seed) {
  ModelConfig config{.seed_layout = seed,
                     .d_model = size.d_model,
                     .n_layers = size.n_layers,
                     .n_heads = size.n_heads,
                     .n_kv_heads = seed ? size.n_heads / 2 : size.n_heads,
                     .head_dim = size.d_model / size.n_heads,
                     .d_ff = size.d_ff,
                     .vocab_size = size.vocab_size};
  if (!seed) return config;
  config.squared_relu = true;
  config.interleaved_pairs = true;
  config.qk_norm_first = true;
  config.norm_eps = std::numeric_limits<float>::epsilon();
  config.embed_scale = std::sqrt(static_cast<double>(size.d_model));
  return config;
}

}  // namespace

std::vector<SizedModel> SizedModels(const ModelSize& size) {
  std::vector<SizedModel> models;
  for (const bool seed : {false, true}) {
    for (const NamedResidual& residual : Residuals()) {
      ModelConfig config = Backbone(size, seed);
      config.residual = residual.config;
      Architecture shapes = ShapesOf(config);
      shapes.max_seq_len = size.tokens;
      models.push_back({(seed ? "seed " : "paper ") + residual.name, config, shapes});
    }
  }
  return models;
}

}  // namespace ddl
