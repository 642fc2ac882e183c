#include "common/synthetic_sequence.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "common/check.h"
#include "common/digest.h"

namespace ddl {
namespace {

// Draws until one is of the split wanted. About 15 of 16 are refused at most, so that as many
// refusals in a row as this have a probability below 1e-80 (at 1 in 20 of the fewest sequences).
constexpr int kMostDraws = 4096;

// Uniform in [0, count): words above the last whole multiple of count are drawn again.
int64_t Below(int64_t count, RandomWords words) {
  const auto n = static_cast<uint64_t>(count);
  const uint64_t limit = (uint64_t{1} << 32) / n * n;
  uint64_t word = words();
  while (word >= limit) word = words();
  return static_cast<int64_t>(word % n);
}

// The first `count` of a shuffle (Fisher and Yates).
void Shuffle(std::vector<int64_t>* values, size_t count, RandomWords words) {
  for (size_t i = 0; i < count && i + 1 < values->size(); ++i) {
    const auto rest = static_cast<int64_t>(values->size() - i);
    std::swap((*values)[i], (*values)[i + static_cast<size_t>(Below(rest, words))]);
  }
}

// Keys of a sequence, each different.
std::vector<int64_t> DrawKeys(const SyntheticTask& task, RandomWords words) {
  std::vector<int64_t> keys(static_cast<size_t>(task.symbols));
  std::iota(keys.begin(), keys.end(), 0);
  Shuffle(&keys, static_cast<size_t>(task.pairs), words);
  keys.resize(static_cast<size_t>(task.pairs));
  return keys;
}

// Which key each write is for: every key `writes` times, in any order; recall keeps its keys'.
std::vector<int64_t> DrawWrites(const SyntheticTask& task, RandomWords words) {
  std::vector<int64_t> order;
  for (int64_t write = 0; write < task.WritesOfKey(); ++write) {
    for (int64_t key = 0; key < task.pairs; ++key) order.push_back(key);
  }
  if (task.kind == SyntheticKind::kOverwrite) Shuffle(&order, order.size(), words);
  return order;
}

SyntheticSequence DrawPairs(const SyntheticTask& task, RandomWords words) {
  constexpr int64_t kUnwritten = -1;
  const std::vector<int64_t> keys = DrawKeys(task, words);
  std::vector<int64_t> values(keys.size(), kUnwritten);  // In force, by key.
  SyntheticSequence sequence;
  for (const int64_t write : DrawWrites(task, words)) {
    const auto key = static_cast<size_t>(write);
    if (values[key] == kUnwritten) {
      values[key] = Below(task.symbols, words);
    } else {  // One of the other values.
      values[key] = (values[key] + 1 + Below(task.symbols - 1, words)) % task.symbols;
    }
    sequence.tokens.push_back(keys[key]);
    sequence.tokens.push_back(task.symbols + values[key]);
  }
  sequence.targets.assign(sequence.tokens.size(), kNoAnswer);
  for (int64_t i = 0; i < task.Answers(); ++i) {
    const auto key = static_cast<size_t>(Below(task.pairs, words));
    sequence.tokens.push_back(keys[key]);
    sequence.targets.push_back(task.symbols + values[key]);
  }
  return sequence;
}

using Permutation = std::array<int8_t, 5>;  // Of the first `size` things.

// The permutation of a rank in lexicographic order, from its Lehmer code.
Permutation Unranked(int64_t rank, int64_t size) {
  std::vector<int8_t> left(static_cast<size_t>(size));
  std::iota(left.begin(), left.end(), int8_t{0});
  int64_t blocks = 1;  // (size - 1)!
  for (int64_t i = 2; i < size; ++i) blocks *= i;
  Permutation permutation{};
  for (int64_t at = 0; at < size; ++at) {
    const auto chosen = left.begin() + rank / blocks;
    permutation.at(static_cast<size_t>(at)) = *chosen;
    left.erase(chosen);
    rank %= blocks;
    if (at + 1 < size - 1) blocks /= size - 1 - at;
  }
  return permutation;
}

int64_t Ranked(const Permutation& permutation, int64_t size) {
  int64_t rank = 0;
  for (int64_t i = 0; i < size; ++i) {
    int64_t smaller = 0;  // Behind it.
    for (int64_t j = i + 1; j < size; ++j) {
      smaller += permutation.at(static_cast<size_t>(j)) < permutation.at(static_cast<size_t>(i));
    }
    rank = rank * (size - i) + smaller;
  }
  return rank;
}

// Every token a permutation, applied after those before it: s_t(x) = g_t(s_(t-1)(x)).
SyntheticSequence DrawProducts(const SyntheticTask& task, int64_t size, RandomWords words) {
  Permutation state = Unranked(0, size);
  SyntheticSequence sequence;
  for (int64_t t = 0; t < task.tokens; ++t) {
    const int64_t token = Below(SyntheticVocabulary(task), words);
    const Permutation move = Unranked(token, size);
    for (int64_t thing = 0; thing < size; ++thing) {
      int8_t& place = state.at(static_cast<size_t>(thing));
      place = move.at(static_cast<size_t>(place));
    }
    sequence.tokens.push_back(token);
    sequence.targets.push_back(Ranked(state, size));
  }
  return sequence;
}

}  // namespace

SyntheticSequence DrawSequence(const SyntheticTask& task, RandomWords words) {
  switch (task.kind) {
    case SyntheticKind::kRecall:
    case SyntheticKind::kOverwrite: return DrawPairs(task, words);
    case SyntheticKind::kParity: return DrawProducts(task, 2, words);  // S2 is addition modulo 2.
    case SyntheticKind::kS3: return DrawProducts(task, 3, words);
    case SyntheticKind::kS5: return DrawProducts(task, 5, words);
  }
  DDL_CHECK(false);
  return {};
}

SyntheticSplit SplitOf(const SyntheticSequence& sequence) {
  std::string bytes;
  for (const int64_t token : sequence.tokens) {
    bytes.push_back(static_cast<char>(token & 0xff));
    bytes.push_back(static_cast<char>(token >> 8));
  }
  return Sha256Hex(bytes)[0] == '0' ? SyntheticSplit::kVal : SyntheticSplit::kTrain;
}

SyntheticSequence DrawSequenceOf(SyntheticSplit split, const SyntheticTask& task,
                                 RandomWords words) {
  for (int draw = 0; draw < kMostDraws; ++draw) {
    SyntheticSequence sequence = DrawSequence(task, words);
    if (SplitOf(sequence) == split) return sequence;
  }
  DDL_CHECK(false);  // The rules of specs leave enough different sequences.
  return {};
}

}  // namespace ddl
