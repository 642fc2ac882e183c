// What a model keeps of the tokens before, so that it can go on token by token and give the logits
// that it would give for the whole sequence: keys and values of attention, and the inputs of causal
// convolutions as far as these look back.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "worker/model/model_config.h"

namespace ddl {

// Rotated and normalised, (B,T,G,D) of T tokens so far; undefined before the first.
struct KeyValues {
  at::Tensor keys, values;
};

// The last tokens, axis 1, of a sequence that arrives in pieces.
class TokenWindow {
 public:
  explicit TokenWindow(int64_t lookback) : lookback_(lookback) {}

  // `piece` behind the last `lookback` tokens of earlier pieces, or behind all of them if they are
  // fewer; remembers what the next piece needs.
  at::Tensor Extend(const at::Tensor& piece);

 private:
  int64_t lookback_;
  at::Tensor kept_;  // Undefined before the first piece, or with nothing to keep.
};

struct Past {
  explicit Past(const ModelConfig& config);

  int64_t tokens = 0;
  std::vector<KeyValues> attention;  // One a layer.
  TokenWindow embedding;             // What the residual's first state looks back at.
  std::vector<TokenWindow> states;   // Of every sublayer's compressor, and of the read-out's.
};

}  // namespace ddl
