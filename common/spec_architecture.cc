#include "common/spec_architecture.h"

namespace ddl {

Architecture ArchitectureOf(const v1::ExperimentSpec& spec) {
  const v1::ModelSpec& model = spec.model();
  const v1::ResidualSpec& residual = model.residual();
  const bool gated = residual.kind() != "additive";
  const int64_t channels = gated ? residual.value_channels() : 1;
  return {.d_model = model.d_model(),
          .n_layers = model.n_layers(),
          .n_heads = model.n_heads(),
          .head_dim = model.head_dim(),
          .d_ff = model.d_ff(),
          .max_seq_len = model.max_seq_len(),
          .vocab_size = model.vocab_size(),
          .qk_norm = model.qk_norm(),
          .residual = !gated                     ? ResidualKind::kAdditive
                      : residual.kind() == "ddl" ? ResidualKind::kDdl
                                                 : ResidualKind::kWriteOnly,
          .value_channels = channels,
          .embed_conv = channels > 1 && residual.embed_conv(),
          .embed_conv_kernel = residual.embed_conv_kernel(),
          .beta_hidden = residual.beta_hidden()};
}

}  // namespace ddl
