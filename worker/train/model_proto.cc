#include "worker/train/model_proto.h"

#include "common/spec_model.h"

namespace ddl {
namespace {

ResidualConfig PlainResidual(const v1::ResidualSpec& residual) {
  const bool channels = HasChannels(residual);
  return {.kind = residual.kind(),
          .value_channels = channels ? residual.value_channels() : 1,
          .compress = channels ? residual.compress() : "none",
          .compress_kernel = residual.compress_kernel(),
          .embed_conv = channels && residual.embed_conv(),
          .embed_conv_kernel = residual.embed_conv_kernel(),
          .beta_init = residual.beta_init(),
          .beta_hidden = residual.beta_hidden(),
          .k_eps = residual.k_eps(),
          .v_scale = residual.v_scale(),
          .v_sigmoid = residual.v_activation() == "sigmoid",
          .v_from_norm = residual.v_input() == "c",
          .streams = residual.streams(),
          .dynamic = residual.dynamic()};
}

}  // namespace

ModelConfig PlainModel(const v1::ModelSpec& model) {
  return {.seed_layout = model.arch() == "seed",
          .d_model = model.d_model(),
          .n_layers = model.n_layers(),
          .n_heads = model.n_heads(),
          .n_kv_heads = model.n_kv_heads(),
          .head_dim = model.head_dim(),
          .d_ff = model.d_ff(),
          .vocab_size = model.vocab_size(),
          .squared_relu = model.mlp() == "squared_relu",
          .rope_ratio = model.rope_ratio(),
          .rope_base = model.rope_base(),
          .interleaved_pairs = model.rope_pairs() == "interleaved",
          .qk_norm = model.qk_norm(),
          .qk_norm_first = model.qk_norm_position() == "before_rope",
          .norm_eps = model.norm_eps(),
          .embed_scale = model.embed_scale(),
          .logit_scale = model.logit_scale(),
          .residual = PlainResidual(model.residual())};
}

}  // namespace ddl
