// Sequences of the synthetic environments (common/synthetic_task.h), drawn from random words that
// the caller brings. Pure: equal words give equal sequences.
//
// The split of a sequence is a function of its tokens alone, so that no sequence can be in both.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/synthetic_task.h"

namespace ddl {

inline constexpr int64_t kNoAnswer = -100;  // The target of a token that asks nothing.

struct SyntheticSequence {
  std::vector<int64_t> tokens;   // T
  std::vector<int64_t> targets;  // T; what is right behind each token, or kNoAnswer.
};

// Independent uniform words of 32 bits.
using RandomWords = absl::FunctionRef<uint32_t()>;

// A sequence of a task whose settings the rules of specs accept.
SyntheticSequence DrawSequence(const SyntheticTask& task, RandomWords words);

enum class SyntheticSplit { kTrain, kVal };

// By SHA-256 of the tokens: one in 16 is for validation.
SyntheticSplit SplitOf(const SyntheticSequence& sequence);

// The first drawn sequence that belongs to `split`.
SyntheticSequence DrawSequenceOf(SyntheticSplit split, const SyntheticTask& task,
                                 RandomWords words);

}  // namespace ddl
