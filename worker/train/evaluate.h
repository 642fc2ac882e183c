// Validation: mean loss and accuracy over the answers of the validation set, the same set for every
// run with the same settings, divided among the ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/comm/collective.h"
#include "worker/data/sequence_source.h"
#include "worker/model/transformer.h"

namespace ddl {

struct PositionAccuracy {
  int64_t position = 0;  // Of the token that asks, from 0.
  double accuracy = 0;
};

struct Validation {
  double loss = 0;      // Nats per answer.
  double accuracy = 0;  // Share of right answers; in text every next token is one.
  int64_t answers = 0;
  // Of data whose positions mean something, those that ask.
  std::vector<PositionAccuracy> by_position;
};

// kUnavailable when a peer is lost.
absl::StatusOr<Validation> Validate(const Transformer& model, const SequenceSource& data,
                                    Collective* collective);

}  // namespace ddl
