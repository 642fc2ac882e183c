#include "tests/worker/model/variants.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace ddl {
namespace {

class Draw {
 public:
  explicit Draw(std::mt19937_64* random) : random_(*random) {}
  int64_t Whole(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  bool Coin() { return Whole(0, 1) == 1; }

 private:
  std::mt19937_64& random_;
};

ModelConfig Backbone(bool seed, Draw* draw) {
  ModelConfig model{.seed_layout = seed,
                    .n_layers = draw->Whole(1, 2),
                    .n_kv_heads = draw->Whole(1, 2),
                    .head_dim = draw->Whole(2, 5),
                    .d_ff = draw->Whole(3, 7),
                    .vocab_size = draw->Whole(5, 9),
                    .squared_relu = seed != draw->Coin(),
                    .rope_ratio = draw->Coin() ? 1.0 : 0.5,
                    .interleaved_pairs = seed != draw->Coin(),
                    .qk_norm = draw->Whole(0, 3) > 0,
                    .qk_norm_first = draw->Coin(),
                    .norm_eps = 1e-3,
                    .embed_scale = draw->Coin() ? 1.0 : 1.5,
                    .logit_scale = draw->Coin() ? 1.0 : 0.7};
  model.n_heads = model.n_kv_heads * draw->Whole(1, 2);
  model.d_model = seed ? model.n_heads * model.head_dim : draw->Whole(4, 9);
  return model;
}

void Expand(const std::string& compress, bool embed_conv, Draw* draw, ResidualConfig* residual) {
  residual->compress = compress;
  if (compress == "none") return;
  residual->value_channels = draw->Whole(2, 4);
  residual->compress_kernel =
      compress == "token" ? draw->Whole(1, 6) : draw->Whole(1, residual->value_channels);
  residual->embed_conv = embed_conv;
  residual->embed_conv_kernel = draw->Whole(1, 5);
}

std::vector<ResidualConfig> DeltaResiduals(Draw* draw) {
  std::vector<ResidualConfig> residuals;
  for (const char* kind : {"ddl", "write_only"}) {
    for (const char* compress : {"none", "channel", "token"}) {
      for (int form = 0; form < 4; ++form) {
        ResidualConfig residual{.kind = kind,
                                .beta_hidden = form % 2 == 0 ? 0 : draw->Whole(1, 4),
                                .k_eps = 0.1,
                                .v_sigmoid = form < 2,
                                .v_from_norm = form == 1 || form == 2};
        Expand(compress, form == 0 || form == 3, draw, &residual);
        residuals.push_back(residual);
      }
    }
  }
  return residuals;
}

std::string NameOf(const ModelConfig& model) {
  const ResidualConfig& r = model.residual;
  return absl::StrCat(model.seed_layout ? "seed " : "paper ", r.kind, " d ", model.d_model, " L ",
                      model.n_layers, " heads ", model.n_heads, "/", model.n_kv_heads, " of ",
                      model.head_dim, ", ", r.compress, " n ", r.value_channels, " taps ",
                      r.compress_kernel, " conv ", r.embed_conv, " gate ", r.beta_hidden,
                      " sigmoid ", r.v_sigmoid, " of norm ", r.v_from_norm, " streams ", r.streams,
                      " dynamic ", r.dynamic);
}

}  // namespace

std::vector<Form> AllForms(std::mt19937_64* random) {
  Draw draw(random);
  std::vector<ResidualConfig> residuals = DeltaResiduals(&draw);
  for (int64_t i = 0; i < 2; ++i) {
    const int64_t hidden = draw.Whole(1, 4);
    residuals.push_back({.kind = "additive"});
    residuals.push_back({.kind = "seed_deepdeltares", .beta_hidden = hidden, .k_eps = 1e-6});
    residuals.push_back({.kind = "seed_write_only", .beta_hidden = hidden, .k_eps = 1e-6});
    for (const bool dynamic : {false, true}) {
      const int64_t streams = draw.Whole(1, 4);
      residuals.push_back({.kind = "hyper_connections", .streams = streams, .dynamic = dynamic});
    }
  }
  std::vector<Form> forms;
  for (const ResidualConfig& residual : residuals) {
    // Alternating, so that each kind stands on both.
    ModelConfig model = Backbone(forms.size() % 2 == 1, &draw);
    model.residual = residual;
    forms.push_back({NameOf(model), model});
  }
  return forms;
}

Transformer RandomModel(const ModelConfig& config, at::ScalarType type) {
  Transformer model(config, /*seed=*/1, at::kCPU, type);
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : model.parameters().all()) {
    at::Tensor value = parameter.value;
    const bool gain = absl::StrContains(parameter.name, "norm") ||
                      absl::StrContains(parameter.name, "ln_") ||
                      absl::StrContains(parameter.name, "_rms");
    // Drawn in float64, so that both types get the same weights.
    value.copy_(at::randn(value.sizes(), at::kDouble) * (gain ? 0.2 : 0.6) + (gain ? 1.0 : 0.0));
  }
  return model;
}

at::Tensor WeightOf(const Parameters& parameters, const std::string& name) {
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.name == name) return parameter.value;
  }
  DDL_CHECK(false && "a name that the model does not have");
  return {};
}

}  // namespace ddl
