#include "common/sweep_expand.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <random>
#include <set>
#include <string>

#include "common/names.h"
#include "common/spec_rules.h"

namespace ddl {
namespace {

void AddNumbers(v1::SweepSpec* sweep, const std::string& path, const std::vector<double>& values) {
  v1::SweepParameter* parameter = sweep->add_parameters();
  parameter->set_path(path);
  for (const double value : values) parameter->add_values()->set_number_value(value);
}

void AddRepeat(v1::SweepSpec* sweep, uint32_t seeds) {
  v1::SweepParameter* parameter = sweep->add_parameters();
  parameter->set_path("seed");
  parameter->set_repeat(seeds);
}

v1::SweepSpec Base() {
  v1::SweepSpec sweep;
  sweep.set_name("s");
  sweep.mutable_base()->mutable_data()->set_path("text");
  sweep.mutable_base()->set_seed(10);
  return sweep;
}

// 2 x 3 arms of 4 seeds.
v1::SweepSpec Grid() {
  v1::SweepSpec sweep = Base();
  AddRepeat(&sweep, 4);
  AddNumbers(&sweep, "optim.adamw.lr", {1e-3, 2e-3, 3e-3});
  AddNumbers(&sweep, "model.n_layers", {2, 4});
  return ResolveSweep(sweep).value();
}

v1::SweepSpec Random(uint32_t runs) {
  v1::SweepSpec sweep = Base();
  sweep.set_method("random");
  sweep.set_max_trials(runs);
  sweep.set_seed(5);
  AddRepeat(&sweep, 2);
  v1::SweepParameter* lr = sweep.add_parameters();
  lr->set_path("optim.adamw.lr");
  lr->set_distribution("log_uniform_values");
  lr->set_min(1e-4);
  lr->set_max(1e-2);
  AddNumbers(&sweep, "model.n_layers", {2, 4, 8});
  return ResolveSweep(sweep).value();
}

TEST_CASE("a grid is the product of its values and seeds, every combination once") {
  const v1::SweepSpec sweep = Grid();
  REQUIRE(TrialCount(sweep) == 2 * 3 * 4);
  CHECK(SeedsPerArm(sweep) == 4);
  std::set<std::string> arms;
  std::set<std::string> runs;
  for (int64_t i = 0; i < TrialCount(sweep); ++i) {
    v1::ExperimentSpec spec = Trial(sweep, i).value();
    CHECK(spec.name() == "s-" + std::to_string(i));
    CHECK(CheckName(spec.name()).ok());
    CHECK(spec.seed() == 10 + static_cast<uint64_t>(i % 4));  // Seeds are the fastest axis.
    arms.insert(ArmKey(spec));
    spec.clear_name();
    runs.insert(spec.SerializeAsString());
  }
  CHECK(arms.size() == 6);
  CHECK(runs.size() == 24);
}

TEST_CASE("the last path in sorted order is the next fastest") {
  const v1::SweepSpec sweep = Grid();
  CHECK(Trial(sweep, 0)->model().n_layers() == 2);
  CHECK(Trial(sweep, 0)->optim().adamw().lr() == 1e-3);
  CHECK(Trial(sweep, 4)->optim().adamw().lr() == 2e-3);
  CHECK(Trial(sweep, 12)->model().n_layers() == 4);
  const std::vector<TrialValue> values = TrialValues(sweep, 13);
  REQUIRE(values.size() == 3);
  CHECK(values[0].path == "model.n_layers");
  CHECK(values[0].value == "4");
  CHECK(values[2].path == "seed");
  CHECK(values[2].value == "11");
}

TEST_CASE("max_trials keeps whole arms") {
  v1::SweepSpec sweep = Grid();
  sweep.set_max_trials(11);
  CHECK(TrialCount(sweep) == 8);
  CHECK(TrialCount(Random(11)) == 10);
  CHECK(absl::IsOutOfRange(Trial(sweep, 8).status()));
  CHECK(absl::IsOutOfRange(Trial(sweep, -1).status()));
}

TEST_CASE("the order of parameters in a file changes no run") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const v1::SweepSpec& sweep : {Grid(), Random(20)}) {
    v1::SweepSpec shuffled = sweep;
    std::shuffle(shuffled.mutable_parameters()->begin(), shuffled.mutable_parameters()->end(),
                 random);
    shuffled = ResolveSweep(shuffled).value();
    for (int64_t i = 0; i < TrialCount(sweep); ++i) {
      CHECK(Trial(sweep, i)->SerializeAsString() == Trial(shuffled, i)->SerializeAsString());
    }
  }
}

TEST_CASE("a random arm is the same for all its seeds and however many runs there are") {
  const v1::SweepSpec few = Random(10);
  const v1::SweepSpec many = Random(1000);
  std::set<double> rates;
  for (int64_t i = 0; i < 10; ++i) {
    const v1::ExperimentSpec spec = Trial(few, i).value();
    CHECK(spec.SerializeAsString() == Trial(many, i)->SerializeAsString());
    CHECK(ArmKey(spec) == ArmKey(Trial(few, i / 2 * 2).value()));
    rates.insert(spec.optim().adamw().lr());
  }
  CHECK(rates.size() == 5);
  v1::SweepSpec other = few;
  other.set_seed(6);
  CHECK(Trial(other, 0)->optim().adamw().lr() != Trial(few, 0)->optim().adamw().lr());
}

TEST_CASE("a mapping is merged at its key for each arm") {
  v1::SweepSpec sweep = Base();
  v1::SweepParameter* parameter = sweep.add_parameters();
  parameter->set_path("model.residual");
  const auto add = [&](const std::string& kind, double channels) {
    auto& fields = *parameter->add_values()->mutable_struct_value()->mutable_fields();
    fields["kind"].set_string_value(kind);
    if (channels > 0) fields["value_channels"].set_number_value(channels);
  };
  add("additive", 0);
  add("ddl", 1);
  add("ddl", 4);
  AddRepeat(&sweep, 3);
  const v1::SweepSpec resolved = ResolveSweep(sweep).value();
  REQUIRE(CheckSweep(sweep).ok());
  REQUIRE(TrialCount(resolved) == 9);
  const char* labels[] = {"additive", "ddl/1", "ddl/4"};
  for (int64_t i = 0; i < 9; ++i) {
    const v1::ExperimentSpec spec = Trial(resolved, i).value();
    CHECK(ResidualLabel(spec.model().residual()) == labels[i / 3]);
  }
}

TEST_CASE("the last run of a sweep of 100,000 costs no more than the first") {
  v1::SweepSpec sweep = Base();
  v1::SweepParameter* parameter = sweep.add_parameters();
  parameter->set_path("seed");
  parameter->set_distribution("int_uniform");
  parameter->set_min(1);
  parameter->set_max(100000);
  const v1::SweepSpec resolved = ResolveSweep(sweep).value();
  REQUIRE(TrialCount(resolved) == 100000);
  const std::clock_t start = std::clock();
  for (int i = 0; i < 20; ++i) CHECK(Trial(resolved, 99999 - i)->seed() == 100000U - i);
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 0.5);
}

}  // namespace
}  // namespace ddl
