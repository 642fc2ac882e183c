#include "common/synthetic_sequence.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

namespace ddl {
namespace {

using Tokens = std::vector<int64_t>;

// Words of a seed that a failing test prints.
class Words {
 public:
  explicit Words(uint32_t seed) : engine_(seed) {}
  uint32_t operator()() const { return static_cast<uint32_t>(engine_()); }

 private:
  mutable std::mt19937 engine_;  // A RandomWords is called as a constant.
};

SyntheticTask Recall(int64_t tokens = 40) {
  return {.kind = SyntheticKind::kRecall, .tokens = tokens, .pairs = 6, .symbols = 9};
}
SyntheticTask Overwrite(int64_t writes) {
  return {
      .kind = SyntheticKind::kOverwrite, .tokens = 80, .pairs = 5, .symbols = 7, .writes = writes};
}

// Reads a sequence of keys and values as a dictionary would be written and asked, and says how
// often each key was written.
std::map<int64_t, int64_t> ReadAsDictionary(const SyntheticTask& task,
                                            const SyntheticSequence& sequence) {
  std::map<int64_t, int64_t> dictionary;
  std::map<int64_t, int64_t> writes;
  size_t at = 0;
  while (at < sequence.tokens.size() && sequence.targets[at] == kNoAnswer) {
    const int64_t key = sequence.tokens[at];
    const int64_t value = sequence.tokens[at + 1];
    REQUIRE(sequence.targets[at + 1] == kNoAnswer);
    CHECK((key >= 0 && key < task.symbols));
    CHECK((value >= task.symbols && value < 2 * task.symbols));
    const auto before = dictionary.find(key);
    if (before != dictionary.end()) CHECK(before->second != value);
    dictionary[key] = value;
    writes[key] += 1;
    at += 2;
  }
  for (; at < sequence.tokens.size(); ++at) {
    REQUIRE(dictionary.count(sequence.tokens[at]) == 1);
    CHECK(sequence.targets[at] == dictionary[sequence.tokens[at]]);
  }
  return writes;
}

// A permutation as a matrix M with M[i][x] = 1 where x goes to i.
using Matrix = std::vector<std::vector<int>>;

Matrix Product(const Matrix& a, const Matrix& b) {
  const size_t n = a.size();
  Matrix product(n, std::vector<int>(n));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < n; ++k) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

// All permutations of `n` things in lexicographic order.
std::vector<Matrix> AllPermutations(size_t n) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<Matrix> all;
  do {
    Matrix matrix(n, std::vector<int>(n));
    for (size_t x = 0; x < n; ++x) matrix[order[x]][x] = 1;
    all.push_back(matrix);
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

TEST_CASE("synthetic words that are written down give the sequence worked out by hand") {
  // Keys 2 and 1 (swap 0 with 2, keep 1), their values 3 and 0, then the questions 1 and 0.
  const Tokens script = {2, 0, 3, 0, 1, 0};
  size_t at = 0;
  const auto words = [&] { return static_cast<uint32_t>(script.at(at++)); };
  const SyntheticSequence sequence =
      DrawSequence({.kind = SyntheticKind::kRecall, .tokens = 6, .pairs = 2, .symbols = 4}, words);
  CHECK(sequence.tokens == Tokens{2, 7, 1, 4, 1, 2});
  CHECK(sequence.targets == Tokens{kNoAnswer, kNoAnswer, kNoAnswer, kNoAnswer, 4, 7});
  CHECK(at == script.size());
}

TEST_CASE("synthetic words that would favour small numbers are drawn again") {
  // 2^32 = 715827882 * 6 + 4: the last four words are no fair throw of six.
  const std::vector<uint32_t> script = {0xFFFFFFFF, 0xFFFFFFFC, 0xFFFFFFFB, 0};
  size_t at = 0;
  const auto words = [&] { return script.at(at++); };
  const SyntheticSequence sequence = DrawSequence({.kind = SyntheticKind::kS3, .tokens = 2}, words);
  CHECK(sequence.tokens == Tokens{0xFFFFFFFB % 6, 0});
}

TEST_CASE("recall asks a dictionary that was written once") {
  const uint32_t seed = GENERATE(1U, 2U, 3U);
  INFO("seed " << seed);
  const Words words(seed);
  for (int i = 0; i < 200; ++i) {
    const SyntheticSequence sequence = DrawSequence(Recall(), words);
    REQUIRE(sequence.tokens.size() == 40);
    REQUIRE(sequence.targets.size() == 40);
    const auto writes = ReadAsDictionary(Recall(), sequence);
    CHECK(writes.size() == 6);
    CHECK(std::count(sequence.targets.begin(), sequence.targets.end(), kNoAnswer) == 12);
  }
}

TEST_CASE("overwrite asks for the value in force after every key was written again") {
  const int64_t times = GENERATE(2, 3, 5);
  INFO(times << " writes, seed " << times);
  const Words words(static_cast<uint32_t>(times));
  for (int i = 0; i < 200; ++i) {
    const SyntheticSequence sequence = DrawSequence(Overwrite(times), words);
    const auto writes = ReadAsDictionary(Overwrite(times), sequence);
    CHECK(writes.size() == 5);
    for (const auto& [key, count] : writes) CHECK(count == times);
    CHECK(Overwrite(times).Answers() == 80 - 2 * 5 * times);
  }
}

TEST_CASE("parity is the exclusive or of all bits so far") {
  const Words words(11);
  const SyntheticTask task{.kind = SyntheticKind::kParity, .tokens = 33};
  for (int i = 0; i < 100; ++i) {
    const SyntheticSequence sequence = DrawSequence(task, words);
    int64_t parity = 0;
    for (size_t t = 0; t < sequence.tokens.size(); ++t) {
      parity ^= sequence.tokens[t];
      CHECK(sequence.targets[t] == parity);
    }
  }
}

TEST_CASE("state tracking multiplies permutation matrices, the newest on the left") {
  const auto [kind, things] =
      GENERATE(table<SyntheticKind, size_t>({{SyntheticKind::kS3, 3}, {SyntheticKind::kS5, 5}}));
  const std::vector<Matrix> all = AllPermutations(things);
  const SyntheticTask task{.kind = kind, .tokens = 19};
  REQUIRE(static_cast<int64_t>(all.size()) == SyntheticVocabulary(task));
  INFO("seed 12");
  const Words words(12);
  for (int i = 0; i < 50; ++i) {
    const SyntheticSequence sequence = DrawSequence(task, words);
    Matrix state = all[0];  // The first in order is the identity.
    for (size_t t = 0; t < sequence.tokens.size(); ++t) {
      state = Product(all[static_cast<size_t>(sequence.tokens[t])], state);
      CHECK(state == all[static_cast<size_t>(sequence.targets[t])]);
    }
  }
}

// Whether `count` of `draws` is within five deviations of what probability `p` expects.
void CheckShare(double count, double draws, double p) {
  INFO(count << " of " << draws << ", expected share " << p);
  CHECK(std::abs(count - draws * p) < 5 * std::sqrt(draws * p * (1 - p)));
}

TEST_CASE("every answer of state tracking is equally likely at every position") {
  const Words words(13);
  const SyntheticTask task{.kind = SyntheticKind::kS3, .tokens = 8};
  constexpr int kDraws = 6000;
  std::vector<std::array<int, 6>> counts(8);
  for (int i = 0; i < kDraws; ++i) {
    const SyntheticSequence sequence = DrawSequence(task, words);
    for (size_t t = 0; t < 8; ++t) ++counts[t].at(static_cast<size_t>(sequence.targets[t]));
  }
  for (const auto& position : counts) {
    for (const int count : position) CheckShare(count, kDraws, ChanceAccuracy(task));
  }
}

TEST_CASE("chance is what naming the value of a random key earns, counted") {
  const SyntheticTask task = GENERATE(Recall(), Overwrite(2), Overwrite(3));
  INFO("seed 14");
  const Words words(14);
  std::mt19937 guesses(15);
  double right = 0;
  double asked = 0;
  for (int i = 0; i < 3000; ++i) {
    const SyntheticSequence sequence = DrawSequence(task, words);
    std::map<int64_t, int64_t> dictionary;
    size_t at = 0;
    for (; sequence.targets[at] == kNoAnswer; at += 2) {
      dictionary[sequence.tokens[at]] = sequence.tokens[at + 1];
    }
    // One question of a sequence, so that the counted events are independent.
    auto guess = dictionary.begin();
    std::advance(guess, guesses() % dictionary.size());
    right += guess->second == sequence.targets[at] ? 1 : 0;
    asked += 1;
  }
  CheckShare(right, asked, ChanceAccuracy(task));
}

TEST_CASE("one synthetic sequence in sixteen is for validation") {
  // All 6^7 sequences of S3 of length 7.
  double validation = 0;
  double all = 0;
  SyntheticSequence sequence{.tokens = Tokens(7)};
  for (int64_t code = 0; code < 279936; ++code) {
    int64_t rest = code;
    for (int64_t& token : sequence.tokens) {
      token = rest % 6;
      rest /= 6;
    }
    validation += SplitOf(sequence) == SyntheticSplit::kVal ? 1 : 0;
    all += 1;
  }
  CheckShare(validation, all, 1.0 / 16);
}

TEST_CASE("no synthetic sequence is drawn for both splits") {
  // Of 279,936 sequences, 4,000 and 4,000 draws would meet 57 times if splits were not kept apart.
  const SyntheticTask task{.kind = SyntheticKind::kS3, .tokens = 7};
  const Words words(16);
  std::set<Tokens> train;
  for (int i = 0; i < 4000; ++i) {
    train.insert(DrawSequenceOf(SyntheticSplit::kTrain, task, words).tokens);
  }
  for (int i = 0; i < 4000; ++i) {
    CHECK(train.count(DrawSequenceOf(SyntheticSplit::kVal, task, words).tokens) == 0);
  }
}

TEST_CASE("equal words give equal sequences, of any length") {
  for (const int64_t tokens : {17, 64, 1000}) {
    const SyntheticTask task{.kind = SyntheticKind::kS5, .tokens = tokens};
    const Words first(17);
    const Words second(17);
    const SyntheticSequence a = DrawSequenceOf(SyntheticSplit::kVal, task, first);
    const SyntheticSequence b = DrawSequenceOf(SyntheticSplit::kVal, task, second);
    CHECK(a.tokens == b.tokens);
    CHECK(a.targets == b.targets);
    CHECK(static_cast<int64_t>(a.tokens.size()) == tokens);
    CHECK(DrawSequenceOf(SyntheticSplit::kVal, task, first).tokens != a.tokens);
  }
}

}  // namespace
}  // namespace ddl
