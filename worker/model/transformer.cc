#include "worker/model/transformer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/model/layout.h"

namespace ddl {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

// The last of the tokens, axis 1.
at::Tensor LastTokens(const at::Tensor& x, int64_t tokens) {
  return x.narrow(1, x.size(1) - tokens, tokens);
}

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

Rotary Transformer::RotaryFor(int64_t first, int64_t tokens) const {
  const int64_t end = first + tokens;
  if (!rotary_.cosine.defined() || rotary_.cosine.size(0) < end) {
    rotary_ = MakeRotary(config_, end, embedding_.options());
  }
  Rotary part = rotary_;
  part.cosine = rotary_.cosine.narrow(0, first, tokens);
  part.sine = rotary_.sine.narrow(0, first, tokens);
  return part;
}

at::Tensor Transformer::Begin(const at::Tensor& indices, Past* past) const {
  at::Tensor embedded = at::embedding(embedding_, indices);
  if (config_.embed_scale != 1.0) embedded = embedded * config_.embed_scale;
  if (past == nullptr) return residual_->Begin(embedded);
  return LastTokens(residual_->Begin(past->embedding.Extend(embedded)), indices.size(1));
}

void Transformer::Compress(const at::Tensor& state, SublayerValues* values, Past* past) const {
  if (past == nullptr) return residual_->Compress(state, values);
  TokenWindow& window = past->states[SublayerIndex(values->layer, values->sublayer)];
  residual_->Compress(window.Extend(state), values);
  values->x_in = LastTokens(values->x_in, state.size(1));
}

at::Tensor Transformer::ReadOut(const at::Tensor& state, Past* past) const {
  if (past == nullptr) return residual_->ReadOut(state);
  return LastTokens(residual_->ReadOut(past->states.back().Extend(state)), state.size(1));
}

at::Tensor Transformer::RunBlock(int64_t layer, at::Tensor state, const Rotary& rotary,
                                 const ForwardTaps& taps) const {
  const Block& block = blocks_[static_cast<size_t>(layer)];
  Past* const past = taps.past;
  SublayerValues values{.layer = layer, .sublayer = Sublayer::kAttention};
  Compress(state, &values, past);
  values.c = RmsNorm(values.x_in, block.attention_gain, config_.norm_eps);
  values.h = block.attention.Forward(
      values.c, rotary, past == nullptr ? nullptr : &past->attention[static_cast<size_t>(layer)]);
  state = residual_->Rewrite(state, values, taps.gates);

  values.sublayer = Sublayer::kMlp;
  Compress(state, &values, past);
  values.c = RmsNorm(values.x_in, block.mlp_gain, config_.norm_eps);
  values.h = block.mlp.Forward(values.c);
  return residual_->Rewrite(state, values, taps.gates);
}

at::Tensor Transformer::Logits(const at::Tensor& indices, const ForwardTaps& taps) const {
  Past* const past = taps.past;
  const int64_t tokens = indices.size(1);
  const Rotary rotary = RotaryFor(past == nullptr ? 0 : past->tokens, tokens);
  at::Tensor state = Begin(indices, past);
  for (int64_t layer = 0; layer < config_.n_layers; ++layer) {
    state = RunBlock(layer, std::move(state), rotary, taps);
    if (taps.block_states != nullptr) taps.block_states->push_back(state);
  }
  if (past != nullptr) past->tokens += tokens;
  const at::Tensor read = RmsNorm(ReadOut(state, past), final_gain_, config_.norm_eps);
  const at::Tensor logits = at::linear(read, embedding_);
  return config_.logit_scale == 1.0 ? logits : logits * config_.logit_scale;
}

at::Tensor Transformer::LossSum(const at::Tensor& logits, const at::Tensor& targets) {
  return at::cross_entropy_loss(logits.view({-1, logits.size(-1)}), targets.reshape(-1), {},
                                at::Reduction::Sum);
}

}  // namespace ddl
