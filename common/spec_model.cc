#include "common/spec_model.h"

#include <cmath>
#include <limits>

namespace ddl {
namespace {

// The byte-level tokenizer: 256 bytes and an end-of-document token.
constexpr uint32_t kByteVocabulary = 257;
constexpr uint32_t kTokenTaps = 4;
constexpr double kPaperNormEps = 1e-5;
constexpr double kSeedNormEps = std::numeric_limits<float>::epsilon();
constexpr double kDirectionEps = 1e-5;
// Of the seed's module, where it bounds an L1 norm.
constexpr double kSeedDirectionEps = 1e-6;
constexpr uint32_t kSeedGateWidth = 128;

void ComputeResidualKeys(v1::ResidualSpec* residual) {
  const bool seed_module = IsSeedModule(*residual);
  if (!residual->has_beta_hidden()) residual->set_beta_hidden(seed_module ? kSeedGateWidth : 0);
  if (!residual->has_k_eps()) residual->set_k_eps(seed_module ? kSeedDirectionEps : kDirectionEps);
  if (!residual->has_compress_kernel()) {
    const bool token = HasChannels(*residual) && residual->compress() == "token";
    residual->set_compress_kernel(token                    ? kTokenTaps
                                  : HasChannels(*residual) ? residual->value_channels()
                                                           : 1);
  }
}

ResidualKind KindOf(const v1::ResidualSpec& residual) {
  if (residual.kind() == "ddl") return ResidualKind::kDdl;
  if (residual.kind() == "write_only") return ResidualKind::kWriteOnly;
  if (residual.kind() == "seed_deepdeltares") return ResidualKind::kSeedDeepDeltaRes;
  if (residual.kind() == "seed_write_only") return ResidualKind::kSeedWriteOnly;
  if (residual.kind() == "hyper_connections") return ResidualKind::kHyperConnections;
  return ResidualKind::kAdditive;
}

}  // namespace

bool HasChannels(const v1::ResidualSpec& residual) {
  return (residual.kind() == "ddl" || residual.kind() == "write_only") &&
         residual.value_channels() > 1;
}

bool IsSeedModule(const v1::ResidualSpec& residual) {
  return residual.kind() == "seed_deepdeltares" || residual.kind() == "seed_write_only";
}

void ComputeModelKeys(v1::ModelSpec* model) {
  const bool seed = model->arch() == "seed";
  const uint64_t d = model->d_model();
  if (!model->has_vocab_size()) model->set_vocab_size(kByteVocabulary);
  if (!model->has_mlp()) model->set_mlp(seed ? "squared_relu" : "swiglu");
  if (!model->has_d_ff()) {
    model->set_d_ff(static_cast<uint32_t>(model->mlp() == "swiglu" ? 8 * d / 3 : 4 * d));
  }
  if (!model->has_n_kv_heads()) model->set_n_kv_heads(model->n_heads());
  if (!model->has_qk_norm_position()) {
    model->set_qk_norm_position(seed ? "before_rope" : "after_rope");
  }
  if (!model->has_rope_pairs()) model->set_rope_pairs(seed ? "interleaved" : "half_split");
  if (!model->has_embed_scale()) {
    model->set_embed_scale(seed ? std::sqrt(static_cast<double>(d)) : 1.0);
  }
  if (!model->has_norm_eps()) model->set_norm_eps(seed ? kSeedNormEps : kPaperNormEps);
  ComputeResidualKeys(model->mutable_residual());
}

Architecture ArchitectureOf(const v1::ModelSpec& model) {
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
