#include "common/comparison.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "absl/strings/match.h"
#include "common/comparison_arms.h"
#include "common/spec_rules.h"

namespace ddl {
namespace {

using Catch::Contains;

v1::ExperimentSpec SpecOf(const std::string& kind, uint32_t channels, uint64_t seed) {
  v1::ExperimentSpec partial;
  partial.set_name("run-" + std::to_string(seed));
  partial.set_seed(seed);
  partial.mutable_data()->set_path("text");
  partial.mutable_data()->set_manifest_sha256(std::string(64, 'a'));
  partial.mutable_model()->set_vocab_size(257);
  partial.mutable_model()->mutable_residual()->set_kind(kind);
  partial.mutable_model()->mutable_residual()->set_value_channels(channels);
  const auto resolved = ResolveSpec(partial);
  INFO(resolved.status());
  REQUIRE(resolved.ok());
  return *resolved;
}

v1::Point PointOf(int64_t tokens, double value) {
  v1::Point point;
  point.set_tokens(tokens);
  point.set_step(tokens / 1000);
  point.set_flops(static_cast<double>(tokens) * 100);
  point.set_active_seconds(static_cast<double>(tokens) / 500);
  point.set_value(value);
  return point;
}

ComparedRun RunOf(const std::string& kind, uint32_t channels, uint64_t seed, double value) {
  const std::string id = kind.substr(0, 3) + std::to_string(channels) + "s" + std::to_string(seed);
  return {id, SpecOf(kind, channels, seed), {PointOf(1000, 9), PointOf(2000, value)}};
}

// Two arms of three seeds: the worked example.
std::vector<ComparedRun> Example() {
  return {RunOf("ddl", 1, 1, 3.02),      RunOf("ddl", 1, 2, 3.08),
          RunOf("ddl", 1, 3, 3.01),      RunOf("additive", 1, 2, 3.14),
          RunOf("additive", 1, 1, 3.10), RunOf("additive", 1, 3, 3.12)};
}

v1::Comparison Compared(const std::vector<ComparedRun>& runs,
                        const ComparisonRequest& request = {}) {
  const auto comparison = Compare(runs, request);
  INFO(comparison.status());
  REQUIRE(comparison.ok());
  return *comparison;
}

std::string Remarks(const v1::Comparison& comparison) {
  std::string all;
  for (const std::string& remark : comparison.remarks()) all += remark + "\n";
  return all;
}

TEST_CASE("A worked example has numpy's means, intervals and paired difference") {
  // numpy and scipy: additive 3.10 3.14 3.12, ddl/1 3.02 3.08 3.01 for seeds 1 2 3.
  const v1::Comparison comparison = Compared(Example());
  CHECK(comparison.metric() == "val_loss");
  CHECK(comparison.x() == "tokens");
  CHECK(comparison.baseline() == "additive");
  REQUIRE(comparison.arms_size() == 2);
  const v1::Arm& additive = comparison.arms(0);
  CHECK(additive.residual() == "additive");
  CHECK(additive.at() == 2000);
  CHECK(additive.at_tokens() == 2000);
  CHECK(additive.n() == 3);
  CHECK(additive.mean() == Approx(3.12).epsilon(1e-12));
  CHECK(additive.half_width() == Approx(0.0496827542350066).epsilon(1e-9));
  CHECK_FALSE(additive.has_difference());
  CHECK(additive.tokens_per_second() == Approx(500));
  REQUIRE(additive.values_size() == 3);
  CHECK(additive.values(1).run() == "add1s2");
  CHECK(additive.values(1).seed() == 2);
  CHECK(additive.values(1).value() == 3.14);

  const v1::Arm& ddl = comparison.arms(1);
  CHECK(ddl.label() == "ddl/1");
  CHECK(ddl.mean() == Approx(3.03666666666667).epsilon(1e-12));
  CHECK(ddl.half_width() == Approx(0.0940479358891746).epsilon(1e-9));
  CHECK(ddl.pairs() == 3);
  CHECK(ddl.difference() == Approx(-0.0833333333333335).epsilon(1e-9));
  CHECK(ddl.difference_half_width() == Approx(0.0625160947937581).epsilon(1e-9));
  CHECK(Remarks(comparison).empty());
}

TEST_CASE("The different keys are those of the arms, without seed and name") {
  const v1::Comparison comparison = Compared(Example());
  REQUIRE(comparison.different_keys_size() == 1);
  CHECK(comparison.different_keys(0).path() == "model.residual.kind");
  REQUIRE(comparison.different_keys(0).values_size() == 2);
  CHECK(comparison.different_keys(0).values(0) == "additive");
  CHECK(comparison.different_keys(0).values(1) == "ddl");
}

TEST_CASE("An arm is labelled by its residual and the other keys that differ") {
  std::vector<ComparedRun> runs = Example();
  for (size_t i = 0; i < 3; ++i) {
    ComparedRun faster = runs[i];
    faster.run += "x";
    faster.spec.mutable_optim()->mutable_adamw()->set_lr(0.002);
    runs.push_back(faster);
  }
  const v1::Comparison comparison = Compared(runs);
  REQUIRE(comparison.arms_size() == 3);
  CHECK(comparison.arms(0).label() == "additive optim.adamw.lr=0.001");
  CHECK(comparison.arms(1).label() == "ddl/1 optim.adamw.lr=0.001");
  CHECK(comparison.arms(2).label() == "ddl/1 optim.adamw.lr=0.002");
  CHECK(comparison.arms(2).residual() == "ddl/1");
  CHECK(comparison.arms(2).pairs() == 3);
}

TEST_CASE("Each arm comes once for every place, and the baseline is of the same place") {
  std::vector<ComparedRun> runs = Example();
  for (ComparedRun& run : runs) run.points[0].set_value(static_cast<double>(run.spec.seed()) + 5);
  const v1::Comparison comparison = Compared(runs, {.at = {1000, 2000}});
  REQUIRE(comparison.arms_size() == 4);
  CHECK(comparison.arms(0).at() == 1000);
  CHECK(comparison.arms(1).at() == 2000);
  CHECK(comparison.arms(2).label() == "ddl/1");
  CHECK(comparison.arms(2).difference() == 0);
  CHECK(comparison.arms(3).difference() == Approx(-0.0833333333333335));
}

TEST_CASE("Without a place it is the largest that all runs with points have reached") {
  std::vector<ComparedRun> runs = Example();
  runs[0].points.push_back(PointOf(9000, 2));
  runs[1].points.pop_back();
  runs[1].points.push_back(PointOf(1500, 8));
  CHECK(Compared(runs).arms(0).at() == 1500);
  CHECK(Compared(runs, {.x = "time"}).arms(0).at() == 3);
  CHECK(Compared(runs, {.x = "flops"}).arms(0).at() == 150'000);
  CHECK(Compared(runs, {.x = "steps"}).arms(0).at() == 1);
  runs[1].points.clear();
  CHECK(Compared(runs).arms(0).at() == 2000);
}

TEST_CASE("A missing seed leaves the arm incomplete, counted and said") {
  std::vector<ComparedRun> runs = Example();
  runs[1].points.pop_back();         // ddl/1, seed 2: stopped at 1000.
  runs[2].points[1].set_value(NAN);  // ddl/1, seed 3.
  const v1::Comparison comparison = Compared(runs, {.at = {2000}});
  const v1::Arm& ddl = comparison.arms(1);
  CHECK(ddl.n() == 1);
  CHECK(ddl.mean() == 3.02);
  CHECK(std::isnan(ddl.half_width()));
  REQUIRE(ddl.missing_size() == 2);
  CHECK(ddl.missing(0) == "ddl1s2 (seed 2): has reached 1000");
  CHECK(ddl.missing(1) == "ddl1s3 (seed 3): its value is not finite");
  CHECK(ddl.pairs() == 1);
  CHECK(ddl.difference() == Approx(-0.08));
  CHECK(std::isnan(ddl.difference_half_width()));
  CHECK_THAT(Remarks(comparison),
             Contains("ddl/1 at tokens 2000 is incomplete: no value for seed 2, 3; 1 of 3 seeds "
                      "count") &&
                 Contains("one pair of seeds is too few"));
}

TEST_CASE("A seed that an arm was never run with is said too") {
  std::vector<ComparedRun> runs = Example();
  runs.erase(runs.begin());
  CHECK_THAT(Remarks(Compared(runs)),
             Contains("ddl/1 at tokens 2000 is incomplete: no value for seed 1; 2 of 3"));
}

TEST_CASE("A second run of the same arm and seed is not averaged in") {
  std::vector<ComparedRun> runs = Example();
  ComparedRun again = runs[0];
  again.run = "again";
  again.spec.set_name("another-name");
  again.points[1].set_value(100);
  runs.push_back(again);
  const v1::Arm ddl = Compared(runs).arms(1);
  CHECK(ddl.n() == 3);
  CHECK(ddl.mean() == Approx(3.03666666666667));
  REQUIRE(ddl.missing_size() == 1);
  CHECK(ddl.missing(0) == "again (seed 1): run ddl1s1 of the same arm and seed counts");

  runs[0].points.clear();  // The first one failed: the second counts.
  CHECK(Compared(runs).arms(1).values(0).run() == "again");
}

TEST_CASE("Seeds that cannot tell two arms apart are said to be too few") {
  std::vector<ComparedRun> runs = Example();
  runs[0].points[1].set_value(3.2);
  CHECK_THAT(Remarks(Compared(runs)),
             Contains("ddl/1 at tokens 2000: 3 pairs of seeds are too few to tell"));
}

TEST_CASE("Chance stands beside accuracies on synthetic data, and nowhere else") {
  std::vector<ComparedRun> runs = Example();
  CHECK(!absl::StrContains(Remarks(Compared(runs, {.metric = "val_accuracy"})), "chance"));
  for (ComparedRun& run : runs) run.spec.mutable_data()->mutable_synthetic()->set_task("s3");
  CHECK_THAT(Remarks(Compared(runs, {.metric = "val_accuracy"})), Contains("s3: chance is 0.1667"));
  CHECK(!absl::StrContains(Remarks(Compared(runs)), "chance"));
}

TEST_CASE("A value from before the place is said to be one") {
  CHECK_THAT(Remarks(Compared(Example(), {.at = {1500}})),
             Contains("a run without a point at exactly the place on tokens"));
}

TEST_CASE(
    "A baseline is a label, a residual or a run, without one only a lone additive arm is it") {
  std::vector<ComparedRun> runs = Example();
  CHECK(Compared(runs, {.baseline = "ddl/1"}).arms(1).label() == "additive");
  CHECK(Compared(runs, {.baseline = "ddl/1"}).arms(1).difference() == Approx(0.0833333333333335));
  CHECK(Compared(runs, {.baseline = "ddl1s3"}).baseline() == "ddl/1");
  const auto unknown = Compare(runs, {.baseline = "ddl"});
  CHECK(unknown.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(unknown.status().message() == "baseline \"ddl\" is not one of \"additive\", \"ddl/1\"");

  const std::vector<ComparedRun> no_additive(runs.begin(), runs.begin() + 3);
  const v1::Comparison alone = Compared(no_additive);
  CHECK(alone.baseline().empty());
  CHECK_FALSE(alone.arms(0).has_difference());

  ComparedRun other = runs[3];
  other.spec.mutable_train()->set_grad_clip(0.5);
  runs.push_back(other);
  CHECK_THAT(Remarks(Compared(runs)), Contains("no baseline: 2 arms are additive"));
  CHECK_THAT(std::string(Compare(runs, {.baseline = "additive"}).status().message()),
             Contains("names 2 arms"));
  CHECK(Compared(runs, {.baseline = "additive train.grad_clip=0.5"}).arms(0).n() == 1);
}

TEST_CASE("Runs with other validation data, tokenizer or evaluation settings are refused") {
  std::vector<ComparedRun> runs = Example();
  runs[4].spec.mutable_data()->set_manifest_sha256(std::string(64, 'b'));
  auto refused = Compare(runs, {});
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(
      std::string(refused.status().message()),
      Contains("data.manifest_sha256 differs (ddl1s1: \"aaaa") && Contains("add1s1: \"bbbb"));
  CHECK_THAT(std::string(refused.status().message()), !Contains("eval.tokens"));

  runs[4].spec.mutable_data()->clear_manifest_sha256();
  CHECK_THAT(std::string(Compare(runs, {}).status().message()), Contains("add1s1: none"));

  runs[4] = Example()[4];
  runs[4].spec.mutable_eval()->set_tokens(4096);
  refused = Compare(runs, {});
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(refused.status().message()),
             Contains("eval.tokens differs") && Contains("add1s1: \"4096\""));
}

TEST_CASE("Questions without a sense are invalid") {
  const auto code = [](const std::vector<ComparedRun>& runs, const ComparisonRequest& request) {
    return Compare(runs, request).status().code();
  };
  CHECK(code({}, {}) == absl::StatusCode::kInvalidArgument);
  CHECK(code(Example(), {.x = "hours"}) == absl::StatusCode::kInvalidArgument);
  CHECK(code(Example(), {.at = {-1}}) == absl::StatusCode::kInvalidArgument);
  CHECK(code(Example(), {.at = {NAN}}) == absl::StatusCode::kInvalidArgument);
  CHECK(code(Example(), {.at = std::vector<double>(101, 1)}) == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("The order of the runs changes nothing but which of two twins counts") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<ComparedRun> runs = Example();
  for (uint64_t run_seed = 1; run_seed <= 3; ++run_seed) {
    runs.push_back(RunOf("ddl", 4, run_seed, 3 + 0.01 * static_cast<double>(random() % 10)));
  }
  const std::string expected = Compared(runs, {.at = {1000, 2000}}).SerializeAsString();
  for (int round = 0; round < 20; ++round) {
    std::shuffle(runs.begin(), runs.end(), random);
    const bool same = Compared(runs, {.at = {1000, 2000}}).SerializeAsString() == expected;
    CHECK(same);
  }
}

TEST_CASE("A shift of every value moves means and leaves differences") {
  std::vector<ComparedRun> runs = Example();
  const v1::Comparison before = Compared(runs);
  for (ComparedRun& run : runs) run.points[1].set_value(run.points[1].value() + 1);
  const v1::Comparison after = Compared(runs);
  for (int i = 0; i < 2; ++i) {
    CHECK(after.arms(i).mean() == Approx(before.arms(i).mean() + 1));
    CHECK(after.arms(i).half_width() == Approx(before.arms(i).half_width()));
  }
  CHECK(after.arms(1).difference() == Approx(before.arms(1).difference()));
}

}  // namespace
}  // namespace ddl
