#include "common/spec_architecture.h"

#include "common/spec_model.h"

namespace ddl {
namespace {

ResidualKind KindOf(const v1::ResidualSpec& residual) {
  if (residual.kind() == "ddl") return ResidualKind::kDdl;
  if (residual.kind() == "write_only") return ResidualKind::kWriteOnly;
  if (residual.kind() == "seed_deepdeltares") return ResidualKind::kSeedDeepDeltaRes;
  if (residual.kind() == "seed_write_only") return ResidualKind::kSeedWriteOnly;
  if (residual.kind() == "hyper_connections") return ResidualKind::kHyperConnections;
  return ResidualKind::kAdditive;
}

}  // namespace

Architecture ArchitectureOf(const v1::ExperimentSpec& spec) {
  const v1::ModelSpec& model = spec.model();
  const v1::ResidualSpec& residual = model.residual();
  const bool channels = HasChannels(residual);
  return {.d_model = model.d_model(),
          .n_layers = model.n_layers(),
          .n_heads = model.n_heads(),
          .head_dim = model.head_dim(),
          .d_ff = model.d_ff(),
          .max_seq_len = model.max_seq_len(),
          .vocab_size = model.vocab_size(),
          .qk_norm = model.qk_norm(),
          .residual = KindOf(residual),
          .value_channels = channels ? residual.value_channels() : 1,
          .embed_conv = channels && residual.embed_conv(),
          .embed_conv_kernel = residual.embed_conv_kernel(),
          .beta_hidden = residual.beta_hidden(),
          .n_kv_heads = model.n_kv_heads(),
          .swiglu = model.mlp() == "swiglu",
          .token_compress = residual.compress() == "token",
          .compress_kernel = residual.compress_kernel(),
          .streams = residual.streams(),
          .dynamic = residual.dynamic()};
}

}  // namespace ddl
