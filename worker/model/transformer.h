// The language models of ddl.md section 4, the paper's and the seed's: pre-norm blocks around any
// residual of residual.h, tied embedding, logits and loss in fp32. Plain autograd: it is the
// reference for every faster path.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "worker/model/layers.h"
#include "worker/model/model_config.h"
#include "worker/model/parameters.h"
#include "worker/model/past.h"
#include "worker/model/residual.h"

namespace ddl {

// What a caller wants to see of a forward pass; null members are not looked at.
struct ForwardTaps {
  GateStatistics* gates = nullptr;
  std::vector<at::Tensor>* block_states = nullptr;  // (B,T,n,d) behind every block.
  // What earlier passes saw: these tokens come behind those, and are kept there too.
  Past* past = nullptr;
};

class Transformer {
 public:
  // Makes the initial weights of `seed` on `device`. Float64 is for tests of the mathematics.
  Transformer(const ModelConfig& config, uint64_t seed, at::Device device,
              at::ScalarType type = at::kFloat);

  // indices (B,T) int64 -> logits (B,T,V).
  at::Tensor Logits(const at::Tensor& indices, const ForwardTaps& taps = {}) const;

  // Sum of the cross-entropies, in nats, of targets (B,T) int64.
  static at::Tensor LossSum(const at::Tensor& logits, const at::Tensor& targets);

  bool has_gates() const { return residual_->has_gates(); }
  const ModelConfig& config() const { return config_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  at::Device device() const { return device_; }

 private:
  struct Block {
    at::Tensor attention_gain, mlp_gain;
    Attention attention;
    Mlp mlp;
  };
  at::Tensor Begin(const at::Tensor& indices, Past* past) const;
  void Compress(const at::Tensor& state, SublayerValues* values, Past* past) const;
  at::Tensor ReadOut(const at::Tensor& state, Past* past) const;
  at::Tensor RunBlock(int64_t layer, at::Tensor state, const Rotary& rotary,
                      const ForwardTaps& taps) const;
  // Of `tokens` positions from `first` on.
  Rotary RotaryFor(int64_t first, int64_t tokens) const;

  ModelConfig config_;
  at::Device device_;
  Parameters parameters_;
  at::Tensor embedding_;  // (V, d), also the head.
  std::vector<Block> blocks_;
  at::Tensor final_gain_;
  std::unique_ptr<Residual> residual_;
  mutable Rotary rotary_;  // Of the longest T so far; one thread uses a model.
};

}  // namespace ddl
