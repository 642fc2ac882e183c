#include "common/synthetic_spec.h"

#include <catch2/catch.hpp>
#include <functional>

#include "absl/strings/match.h"
#include "common/digest.h"
#include "common/spec_rules.h"

namespace ddl {
namespace {

v1::ExperimentSpec Partial(const std::string& task, uint32_t tokens = 64) {
  v1::ExperimentSpec spec;
  spec.mutable_data()->mutable_synthetic()->set_task(task);
  spec.mutable_model()->set_max_seq_len(tokens);
  spec.mutable_train()->set_global_batch_tokens(8 * tokens);
  return spec;
}

std::string SyntheticRefusal(const v1::ExperimentSpec& spec) {
  const auto resolved = ResolveSpec(spec);
  CHECK(absl::IsInvalidArgument(resolved.status()));
  return std::string(resolved.status().message());
}

TEST_CASE("synthetic data needs no folder, and names its bytes and vocabulary itself") {
  const v1::ExperimentSpec spec = ResolveSpec(Partial("recall")).value();
  CHECK(spec.data().path() == "synthetic/recall");
  CHECK(spec.model().vocab_size() == 32);
  CHECK(spec.data().manifest_sha256() ==
        Sha256Hex("ddl synthetic data, version 1\ntask recall\ntokens 64\npairs 8\nsymbols 16\n"));
  CHECK(ResolveSpec(spec).value().SerializeAsString() == spec.SerializeAsString());
  const auto task = SyntheticTaskOf(spec);
  REQUIRE(task.has_value());
  CHECK(task->Answers() == 48);
}

TEST_CASE("a folder is required unless there is synthetic data") {
  v1::ExperimentSpec spec;
  CHECK(SyntheticRefusal(spec) ==
        "data.path: is required, unless data.synthetic.task is given: a folder made by `ddl data "
        "prep`");
  spec.mutable_data()->set_path("text");
  CHECK(!SyntheticTaskOf(ResolveSpec(spec).value()).has_value());
}

TEST_CASE("a folder beside synthetic data is refused") {
  v1::ExperimentSpec spec = Partial("s3");
  spec.mutable_data()->set_path("text");
  CHECK(SyntheticRefusal(spec) ==
        "data.path: path must be left out with data.synthetic.task s3, got \"text\"");
}

TEST_CASE("sizes that leave a synthetic task nothing to ask are refused, each by its rule") {
  v1::ExperimentSpec spec = Partial("recall", 16);
  CHECK(SyntheticRefusal(spec) ==
        "model.max_seq_len: max_seq_len must be above the 16 tokens that recall writes before it "
        "asks, got 16");
  spec = Partial("overwrite", 32);
  CHECK(absl::StrContains(SyntheticRefusal(spec),
                          "must be above the 32 tokens that overwrite writes"));
  spec = Partial("recall");
  spec.mutable_data()->mutable_synthetic()->set_pairs(17);
  CHECK(SyntheticRefusal(spec) ==
        "data.synthetic.pairs: pairs must be at most symbols, since keys differ, got 17 of 16");
  spec = Partial("parity", 11);
  CHECK(SyntheticRefusal(spec) ==
        "model.max_seq_len: parity must have at least 2^12 different sequences, got 2^11 of "
        "max_seq_len 11");
  CHECK(ResolveSpec(Partial("parity", 12)).ok());
  spec = Partial("s5");
  spec.mutable_model()->set_vocab_size(119);
  CHECK(SyntheticRefusal(spec) ==
        "model.vocab_size: vocab_size must be at least 120, the vocabulary of s5, got 119");
}

TEST_CASE("a key that the synthetic task does not read is refused") {
  v1::ExperimentSpec spec = Partial("s3");
  spec.mutable_data()->mutable_synthetic()->set_pairs(4);
  CHECK(absl::StrContains(SyntheticRefusal(spec), "pairs has no effect with task s3"));
  spec = Partial("recall");
  spec.mutable_data()->mutable_synthetic()->set_writes(3);
  CHECK(absl::StrContains(SyntheticRefusal(spec), "writes has no effect with task recall"));
  spec = v1::ExperimentSpec();
  spec.mutable_data()->set_path("text");
  spec.mutable_data()->mutable_synthetic()->set_symbols(4);
  CHECK(absl::StrContains(SyntheticRefusal(spec), "symbols has no effect with task none"));
}

TEST_CASE("synthetic data that is pinned to other bytes is refused") {
  v1::ExperimentSpec spec = ResolveSpec(Partial("s3")).value();
  spec.mutable_data()->mutable_synthetic()->set_task("recall");
  spec.mutable_data()->clear_path();
  CHECK(absl::StrContains(SyntheticRefusal(spec),
                          "manifest_sha256 must be that of the synthetic data"));
}

TEST_CASE("sizes far out of range are refused once, without much work") {
  v1::ExperimentSpec spec = Partial("recall");
  spec.mutable_data()->mutable_synthetic()->set_pairs(4294967295U);
  spec.mutable_data()->mutable_synthetic()->set_symbols(4294967295U);
  const std::string refusal = SyntheticRefusal(spec);
  CHECK(absl::StrContains(refusal, "pairs: must be at most 4096"));
  CHECK(absl::StrContains(refusal, "symbols: must be at most 16384"));
  CHECK(absl::StrContains(SyntheticRefusal(Partial("s4")), "\"s4\" is not one of none, recall"));
}

}  // namespace
}  // namespace ddl
