#include "common/synthetic_task.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

namespace ddl {
namespace {

TEST_CASE("a synthetic kind is its word in a spec, and none is no kind") {
  for (const char* name : {"recall", "overwrite", "parity", "s3", "s5"}) {
    const auto kind = ParseSyntheticKind(name);
    REQUIRE(kind.has_value());
    CHECK(SyntheticKindName(*kind) == name);
  }
  CHECK(!ParseSyntheticKind("none").has_value());
  CHECK(!ParseSyntheticKind("S3").has_value());
}

TEST_CASE("a synthetic vocabulary is keys and values, bits, or the elements of the group") {
  CHECK(SyntheticVocabulary({.kind = SyntheticKind::kRecall, .symbols = 32}) == 64);
  CHECK(SyntheticVocabulary({.kind = SyntheticKind::kOverwrite, .symbols = 5}) == 10);
  CHECK(SyntheticVocabulary({.kind = SyntheticKind::kParity}) == 2);
  CHECK(SyntheticVocabulary({.kind = SyntheticKind::kS3}) == 6);    // 3!
  CHECK(SyntheticVocabulary({.kind = SyntheticKind::kS5}) == 120);  // 5!
}

TEST_CASE("bits of choice are the logarithm of the number of sequences, counted") {
  // 2 of 3 keys in order (6), 3 values each (9), 3 questions of 2 keys (8).
  const SyntheticTask recall{.kind = SyntheticKind::kRecall, .tokens = 7, .pairs = 2, .symbols = 3};
  CHECK(SequenceBits(recall) == Approx(std::log2(6.0 * 9.0 * 8.0)));
  CHECK(SequenceBits({.kind = SyntheticKind::kParity, .tokens = 21}) == Approx(21));
  CHECK(SequenceBits({.kind = SyntheticKind::kS3, .tokens = 4}) == Approx(std::log2(1296.0)));
}

TEST_CASE("chance is one over the answers of a group, and knows the values of a dictionary") {
  CHECK(ChanceAccuracy({.kind = SyntheticKind::kParity}) == 0.5);
  CHECK(ChanceAccuracy({.kind = SyntheticKind::kS3}) == Approx(1.0 / 6));
  CHECK(ChanceAccuracy({.kind = SyntheticKind::kS5}) == Approx(1.0 / 120));
  // The right key one time in 4, else one of 10 values by accident.
  CHECK(ChanceAccuracy({.kind = SyntheticKind::kRecall, .pairs = 4, .symbols = 10}) ==
        Approx(0.25 + 0.75 * 0.1));
}

TEST_CASE("the identity of synthetic data changes with every setting that decides it") {
  const SyntheticTask task{.kind = SyntheticKind::kOverwrite, .tokens = 64};
  std::set<std::string> identities = {SyntheticSha256(task)};
  SyntheticTask other = task;
  other.tokens = 65;
  identities.insert(SyntheticSha256(other));
  other = task;
  other.pairs = 7;
  identities.insert(SyntheticSha256(other));
  other = task;
  other.symbols = 17;
  identities.insert(SyntheticSha256(other));
  other = task;
  other.writes = 3;
  identities.insert(SyntheticSha256(other));
  other = task;
  other.kind = SyntheticKind::kRecall;
  identities.insert(SyntheticSha256(other));
  CHECK(identities.size() == 6);
  other.writes = 3;  // Recall has no second write.
  CHECK(identities.count(SyntheticSha256(other)) == 1);
  CHECK(SyntheticManifest(task) ==
        "ddl synthetic data, version 1\ntask overwrite\ntokens 64\npairs 8\nsymbols 16\nwrites "
        "2\n");
}

}  // namespace
}  // namespace ddl
