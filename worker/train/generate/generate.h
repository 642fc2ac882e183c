// Writes on from a prompt, token by token, with keys, values and convolution windows kept, or by a
// whole forward pass for each token.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "worker/model/transformer.h"
#include "worker/train/generate/sampling.h"

namespace ddl {

struct GenerationPlan {
  std::vector<int64_t> prompt;  // At least one token, all below the vocabulary.
  int64_t new_tokens = 0;
  SamplingConfig sampling;
  uint64_t seed = 1;
  bool cached = true;  // Else every token runs the whole sequence again, to the same logits.
  bool gates = false;  // Only for a model that has gates.
};

// What one token's pass showed.
struct GeneratedToken {
  int64_t position = 0;  // From 0, the prompt included.
  int64_t token = 0;
  bool prompt = false;
  std::vector<double> betas;  // [SublayerIndex] of the token; empty without gates.
};

// Calls `emit` with every token, the prompt's first, in order. A token's gates are those of the
// pass that reads it, so that the last token has been read as well.
void Generate(const Transformer& model, const GenerationPlan& plan,
              const std::function<void(const GeneratedToken&)>& emit);

}  // namespace ddl
