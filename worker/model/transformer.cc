#include "worker/model/transformer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/model/layout.h"

namespace ddl {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

}  // namespace

Transformer::Transformer(const ModelConfig& config, uint64_t seed, at::Device device,
                         at::ScalarType type)
    : config_(config), device_(device), parameters_(seed) {
  const int64_t d = config.d_model;
  const bool seeds = config.seed_layout;
  embedding_ = parameters_.AddNormal(seeds ? "token_embedding.weight" : "transformer.wte.weight",
                                     {config.vocab_size, d}, kEmbeddingDeviation);
  for (int64_t layer = 0; layer < config.n_layers; ++layer) {
    const std::string prefix = absl::StrCat(BlockPrefix(config, layer), ".");
    const auto name = [&](const char* paper, const char* other) {
      return absl::StrCat(prefix, seeds ? other : paper);
    };
    blocks_.push_back(
        {.attention_gain = parameters_.AddConstant(name("ln_1.weight", "norm1.weight"), {d}, 1.0),
         .mlp_gain = parameters_.AddConstant(name("ln_2.weight", "norm2.weight"), {d}, 1.0),
         .attention = Attention(config, name("attn", "attention"), &parameters_),
         .mlp = Mlp(config, name("mlp", "feed_forward"), &parameters_)});
  }
  final_gain_ = parameters_.AddConstant(seeds ? "norm.weight" : "ln_f.weight", {d}, 1.0);
  residual_ = MakeResidual(config, &parameters_);
  parameters_.Flatten(device, type);
}

const Rotary& Transformer::RotaryFor(int64_t tokens) const {
  if (!rotary_.cosine.defined() || rotary_.cosine.size(0) != tokens) {
    rotary_ = MakeRotary(config_, tokens, embedding_.options());
  }
  return rotary_;
}

at::Tensor Transformer::RunBlock(int64_t layer, at::Tensor state, const Rotary& rotary,
                                 GateStatistics* gates) const {
  const Block& block = blocks_[static_cast<size_t>(layer)];
  SublayerValues values{.layer = layer, .sublayer = Sublayer::kAttention};
  residual_->Compress(state, &values);
  values.c = RmsNorm(values.x_in, block.attention_gain, config_.norm_eps);
  values.h = block.attention.Forward(values.c, rotary);
  state = residual_->Rewrite(state, values, gates);

  values.sublayer = Sublayer::kMlp;
  residual_->Compress(state, &values);
  values.c = RmsNorm(values.x_in, block.mlp_gain, config_.norm_eps);
  values.h = block.mlp.Forward(values.c);
  return residual_->Rewrite(state, values, gates);
}

at::Tensor Transformer::Logits(const at::Tensor& indices, const ForwardTaps& taps) const {
  const Rotary& rotary = RotaryFor(indices.size(1));
  const at::Tensor embedded = at::embedding(embedding_, indices);
  at::Tensor state =
      residual_->Begin(config_.embed_scale == 1.0 ? embedded : embedded * config_.embed_scale);
  for (int64_t layer = 0; layer < config_.n_layers; ++layer) {
    state = RunBlock(layer, std::move(state), rotary, taps.gates);
    if (taps.block_states != nullptr) taps.block_states->push_back(state);
  }
  const at::Tensor read = RmsNorm(residual_->ReadOut(state), final_gain_, config_.norm_eps);
  const at::Tensor logits = at::linear(read, embedding_);
  return config_.logit_scale == 1.0 ? logits : logits * config_.logit_scale;
}

at::Tensor Transformer::LossSum(const at::Tensor& logits, const at::Tensor& targets) {
  return at::cross_entropy_loss(logits.view({-1, logits.size(-1)}), targets.reshape(-1), {},
                                at::Reduction::Sum);
}

}  // namespace ddl
