#include "common/comparison_arms.h"

#include <catch2/catch.hpp>

#include "common/spec_rules.h"

namespace ddl {
namespace {

ComparedRun RunOf(const std::string& run, uint64_t seed, uint32_t width = 64) {
  v1::ExperimentSpec partial;
  partial.set_seed(seed);
  partial.set_name(run);
  partial.add_tags("a");
  partial.add_tags("b");
  partial.mutable_data()->set_path("text");
  partial.mutable_data()->set_manifest_sha256(std::string(64, 'a'));
  partial.mutable_model()->set_vocab_size(257);
  partial.mutable_model()->set_d_model(width);
  partial.mutable_model()->set_n_heads(2);
  const auto resolved = ResolveSpec(partial);
  INFO(resolved.status());
  REQUIRE(resolved.ok());
  return {run, *resolved, {}};
}

TEST_CASE("A flat spec has every key by its path, lists joined") {
  const FlatSpec flat = Flatten(RunOf("one", 7).spec);
  CHECK(flat.at("seed") == "7");
  CHECK(flat.at("tags") == "a,b");
  CHECK(flat.at("model.d_model") == "64");
  CHECK(flat.at("model.residual.kind") == "ddl");
  CHECK(flat.at("optim.adamw.eps") == "1e-08");
  CHECK(flat.at("model.qk_norm") == "true");
  CHECK(flat.count("model") == 0);
}

TEST_CASE("Runs that differ in seed and name alone are one arm, in the order given") {
  const std::vector<ComparedRun> runs = {RunOf("b", 2), RunOf("a", 1)};
  const std::vector<ComparedArm> arms = SortIntoArms(runs);
  REQUIRE(arms.size() == 1);
  CHECK(arms[0].label == "ddl/1");
  REQUIRE(arms[0].runs.size() == 2);
  CHECK(arms[0].runs[0] == &runs[0]);
  CHECK(arms[0].keys.count("seed") + arms[0].keys.count("name") + arms[0].keys.count("tags") == 0);
  CHECK(DifferingKeys(arms).empty());
}

TEST_CASE("A label leaves out keys that follow from others, unless they alone tell arms apart") {
  // d_ff and head_dim follow from d_model.
  std::vector<ComparedRun> runs = {RunOf("a", 1, 64), RunOf("b", 1, 128)};
  std::vector<ComparedArm> arms = SortIntoArms(runs);
  REQUIRE(arms.size() == 2);
  CHECK(arms[0].label == "ddl/1 model.d_model=128");
  CHECK(arms[1].label == "ddl/1 model.d_model=64");
  CHECK(DifferingKeys(arms).size() > 1);

  runs.push_back(runs[0]);
  runs[2].spec.mutable_model()->set_d_ff(200);
  arms = SortIntoArms(runs);
  REQUIRE(arms.size() == 3);
  for (const ComparedArm& arm : arms) CHECK_THAT(arm.label, Catch::Contains("model.d_ff="));
}

TEST_CASE("Runs of different synthetic tasks, or of one with other sizes, are not compared") {
  ComparedRun recall = RunOf("a", 1);
  recall.spec.mutable_data()->mutable_synthetic()->set_task("recall");
  recall.spec.mutable_data()->set_manifest_sha256("1");
  ComparedRun s3 = recall;
  s3.run = "b";
  s3.spec.mutable_data()->mutable_synthetic()->set_task("s3");
  CHECK_THAT(std::string(CheckComparable({recall, s3}).message()),
             Catch::Contains("data.synthetic.task differs (a: \"recall\", b: \"s3\")"));
  ComparedRun longer = recall;
  longer.run = "c";
  longer.spec.mutable_data()->set_manifest_sha256("2");
  CHECK_THAT(std::string(CheckComparable({recall, longer}).message()),
             Catch::Contains("data.manifest_sha256 differs"));
  CHECK(CheckComparable({recall, recall}).ok());
}

TEST_CASE("Runs with the same data and evaluation may be compared") {
  CHECK(CheckComparable({RunOf("a", 1), RunOf("b", 2, 128)}).ok());
  CHECK(CheckComparable({}).ok());
}

}  // namespace
}  // namespace ddl
