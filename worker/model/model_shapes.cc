#include "worker/model/model_shapes.h"

namespace ddl {
namespace {

ResidualKind KindOf(const ResidualConfig& residual) {
  if (residual.kind == "ddl") return ResidualKind::kDdl;
  if (residual.kind == "write_only") return ResidualKind::kWriteOnly;
  if (residual.kind == "seed_deepdeltares") return ResidualKind::kSeedDeepDeltaRes;
  if (residual.kind == "seed_write_only") return ResidualKind::kSeedWriteOnly;
  if (residual.kind == "hyper_connections") return ResidualKind::kHyperConnections;
  return ResidualKind::kAdditive;
}

}  // namespace

Architecture ShapesOf(const ModelConfig& model) {
  const ResidualConfig& residual = model.residual;
  return {.d_model = model.d_model,
          .n_layers = model.n_layers,
          .n_heads = model.n_heads,
          .head_dim = model.head_dim,
          .d_ff = model.d_ff,
          .vocab_size = model.vocab_size,
          .qk_norm = model.qk_norm,
          .residual = KindOf(residual),
          .value_channels = residual.value_channels,
          .embed_conv = residual.embed_conv,
          .embed_conv_kernel = residual.embed_conv_kernel,
          .beta_hidden = residual.beta_hidden,
          .n_kv_heads = model.n_kv_heads,
          .swiglu = !model.squared_relu,
          .token_compress = residual.compress == "token",
          .compress_kernel = residual.compress_kernel,
          .streams = residual.streams,
          .dynamic = residual.dynamic};
}

}  // namespace ddl
