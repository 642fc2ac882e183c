// Validation: mean loss and accuracy over the first tokens of the validation split, the same tokens
// for every run with the same settings, divided among the ranks.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "worker/comm/collective.h"
#include "worker/data/token_text.h"
#include "worker/model/transformer.h"

namespace ddl {

struct Validation {
  double loss = 0;      // Nats per token.
  double accuracy = 0;  // Share of right next tokens.
  int64_t tokens = 0;   // That were predicted.
};

struct ValidationPlan {
  int64_t tokens = 0;           // To predict; capped at the split's.
  int64_t sequence_tokens = 0;  // T; the last window may be shorter.
  int64_t batch_sequences = 1;
};

// kUnavailable when a peer is lost.
absl::StatusOr<Validation> Validate(const Transformer& model, const TokenText& text,
                                    const ValidationPlan& plan, Collective* collective);

}  // namespace ddl
