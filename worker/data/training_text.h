// Opens and checks what a run trains and validates on. Every error is the user's: it names the file
// and the rule.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "worker/data/token_text.h"

namespace ddl {

struct TrainingText {
  TokenText train;
  TokenText val;
};

struct TextRequirements {
  std::string folder;
  std::string manifest_sha256;  // Empty: any.
  int64_t vocab_size = 0;       // Rows of the embedding: at least the data's vocabulary.
  int64_t sequence_tokens = 0;  // The training split has more tokens than this.
};

// Every shard of both splits, with its digest and every token checked.
absl::StatusOr<TrainingText> OpenTrainingText(const TextRequirements& requirements);

}  // namespace ddl
