// The synthetic environments: what their sequences are made of, how many tokens they know, what
// guessing earns, and what names their data. A sequence has no text behind it; its right answers
// follow from rules (docs/synthetic.md).
//
//   recall     k1 v1 .. kP vP, then keys: each asks for the value that stood behind it.
//   overwrite  every key is written `writes` times, in any order; keys ask for the value in force.
//   parity     bits: each asks for the parity of all so far.
//   s3, s5     permutations of 3 or 5 things: each asks for the product of all so far.
//
// Pure: no clock, no file, no LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ddl {

enum class SyntheticKind { kRecall, kOverwrite, kParity, kS3, kS5 };

// The word in a spec. nullopt for "none" and every other word.
std::optional<SyntheticKind> ParseSyntheticKind(absl::string_view name);
absl::string_view SyntheticKindName(SyntheticKind kind);

struct SyntheticTask {
  SyntheticKind kind = SyntheticKind::kRecall;
  int64_t tokens = 0;    // T of a sequence.
  int64_t pairs = 8;     // P, keys of a sequence: recall and overwrite.
  int64_t symbols = 16;  // S, keys to choose from, and values: recall and overwrite.
  int64_t writes = 2;    // Of every key: overwrite.

  bool HasKeys() const {
    return kind == SyntheticKind::kRecall || kind == SyntheticKind::kOverwrite;
  }
  int64_t WritesOfKey() const { return kind == SyntheticKind::kOverwrite ? writes : 1; }
  // Tokens before the first one that asks.
  int64_t Preamble() const { return HasKeys() ? 2 * pairs * WritesOfKey() : 0; }
  int64_t Answers() const { return tokens - Preamble(); }  // Of a sequence; the last tokens ask.
};

// With fewer bits of choice than this a split could be empty.
inline constexpr double kLeastSequenceBits = 12;

// Tokens are 0 .. vocabulary - 1. Keys come before values; a permutation is its rank among all in
// lexicographic order.
int64_t SyntheticVocabulary(const SyntheticTask& task);

// log2 of the number of different sequences; for overwrite a lower bound.
double SequenceBits(const SyntheticTask& task);

// The expected accuracy of one who knows the rules but not what the asking token refers to: of
// naming the value in force of a random key (1/P + (1 - 1/P) / S), or a random parity or
// permutation (1/2, 1/6, 1/120).
double ChanceAccuracy(const SyntheticTask& task);

// What decides every sequence of the task, a line for each setting. Any change to what a setting
// means raises its version.
std::string SyntheticManifest(const SyntheticTask& task);
// SHA-256 of the above: the identity of the data, as the manifest's is of a folder.
std::string SyntheticSha256(const SyntheticTask& task);

}  // namespace ddl
