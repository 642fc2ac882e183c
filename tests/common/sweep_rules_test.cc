#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "common/spec_rules.h"
#include "common/sweep_expand.h"

namespace ddl {
namespace {

v1::SweepParameter* Add(v1::SweepSpec* sweep, const std::string& path) {
  v1::SweepParameter* parameter = sweep->add_parameters();
  parameter->set_path(path);
  return parameter;
}

void AddAxis(v1::SweepSpec* sweep, const std::string& path, const std::vector<double>& values) {
  v1::SweepParameter* parameter = Add(sweep, path);
  for (const double value : values) parameter->add_values()->set_number_value(value);
}

v1::SweepSpec BaseSweep() {
  v1::SweepSpec sweep;
  sweep.set_name("s");
  sweep.mutable_base()->mutable_data()->set_path("text");
  return sweep;
}

// A sweep over one parameter, by `method`.
v1::SweepSpec Over(const v1::SweepParameter& parameter, const std::string& method = "random") {
  v1::SweepSpec sweep = BaseSweep();
  sweep.set_method(method);
  if (method == "random") sweep.set_max_trials(10);
  *sweep.add_parameters() = parameter;
  return sweep;
}

v1::SweepParameter Distribution(const std::string& path, const std::string& name, double min,
                                double max, double q = 0) {
  v1::SweepParameter parameter;
  parameter.set_path(path);
  parameter.set_distribution(name);
  parameter.set_min(min);
  parameter.set_max(max);
  parameter.set_q(q);
  return parameter;
}

std::string Refusal(const v1::SweepSpec& sweep) { return std::string(CheckSweep(sweep).message()); }

TEST_CASE("a resolved sweep has its own keys filled in and its parameters sorted") {
  v1::SweepSpec sweep = BaseSweep();
  AddAxis(&sweep, "train.grad_clip", {0.5, 1});
  AddAxis(&sweep, "optim.adamw.lr", {1e-3});
  const v1::SweepSpec resolved = ResolveSweep(sweep).value();
  CHECK(resolved.method() == "grid");
  CHECK(resolved.max_trials() == 100000);
  CHECK(resolved.metric().name() == "val_loss");
  CHECK(resolved.parameters(0).path() == "optim.adamw.lr");
  CHECK(resolved.parameters(0).distribution() == "constant");
  CHECK(resolved.parameters(1).distribution() == "categorical");
  CHECK(!resolved.base().has_model());
  CHECK(ResolveSweep(resolved)->SerializeAsString() == resolved.SerializeAsString());
}

TEST_CASE("a parameter is a key of the base, once, and not inside another") {
  v1::SweepSpec sweep = BaseSweep();
  CHECK(Refusal(sweep) == "parameters: must name at least one key");
  AddAxis(&sweep, "optim.adamw.lrr", {1});
  CHECK(Refusal(sweep) == "parameters.optim.adamw.lrr: unknown key \"lrr\" (did you mean \"lr\"?)");
  sweep = BaseSweep();
  AddAxis(&sweep, "seed", {1, 2});
  AddAxis(&sweep, "seed", {3});
  CHECK(Refusal(sweep) == "parameters.seed: appears twice");
  sweep = BaseSweep();
  Add(&sweep, "model.residual")->add_values()->mutable_struct_value();
  AddAxis(&sweep, "model.residual.beta_init", {1});
  CHECK(absl::StrContains(Refusal(sweep), "model.residual.beta_init: is inside model.residual"));
  sweep = BaseSweep();
  Add(&sweep, "name")->add_values()->set_string_value("x");
  CHECK(absl::StrContains(Refusal(sweep), "parameters.name: cannot be searched"));
}

TEST_CASE("repeat is for the seed, and a parameter has one way of choosing") {
  v1::SweepSpec sweep = BaseSweep();
  Add(&sweep, "optim.adamw.lr")->set_repeat(3);
  CHECK(absl::StrContains(Refusal(sweep), "repeat is for the key seed alone"));
  sweep = BaseSweep();
  AddAxis(&sweep, "seed", {1});
  sweep.mutable_parameters(0)->set_repeat(2);
  CHECK(absl::StrContains(Refusal(sweep), "must have one of values, a distribution and repeat"));
  sweep = BaseSweep();
  Add(&sweep, "seed");
  CHECK(absl::StrContains(Refusal(sweep), "must have one of values, value, distribution"));
  v1::SweepParameter mixed = Distribution("optim.adamw.lr", "uniform", 0.1, 1);
  mixed.add_values()->set_number_value(1);
  CHECK(absl::StrContains(Refusal(Over(mixed)), "has keys that uniform does not take"));
}

TEST_CASE("values have the type of their key and differ") {
  v1::SweepSpec sweep = BaseSweep();
  AddAxis(&sweep, "model.n_layers", {2, 2.5});
  CHECK(absl::StrContains(Refusal(sweep), "\"2.5\" is not a whole number"));
  sweep = BaseSweep();
  Add(&sweep, "train.tokens")->add_values()->set_string_value("20M");
  CHECK(CheckSweep(sweep).ok());
  sweep.mutable_parameters(0)->add_values()->set_number_value(2e7);
  CHECK(Refusal(sweep) == "parameters.train.tokens: value 20000000 appears twice");
  sweep = BaseSweep();
  AddAxis(&sweep, "model.residual", {1});
  CHECK(absl::StrContains(Refusal(sweep), "must be a mapping"));
}

TEST_CASE("probabilities are for random, one for each value, and sum to one") {
  v1::SweepParameter parameter;
  parameter.set_path("optim.adamw.lr");
  for (const double lr : {1e-3, 3e-3}) parameter.add_values()->set_number_value(lr);
  for (const double p : {0.25, 0.75}) parameter.add_probabilities(p);
  CHECK(CheckSweep(Over(parameter)).ok());
  CHECK(absl::StrContains(Refusal(Over(parameter, "grid")), "are for values of method random"));
  parameter.set_probabilities(0, 0.5);
  CHECK(absl::StrContains(Refusal(Over(parameter)), "must sum to 1, got 1.25"));
  parameter.add_probabilities(0);
  CHECK(absl::StrContains(Refusal(Over(parameter)), "one probability for each of 2 values, got 3"));
}

TEST_CASE("a distribution is known, bounded the right way round and of the key's type") {
  const auto lr = [](const std::string& name, double min, double max, double q = 0) {
    return Refusal(Over(Distribution("optim.adamw.lr", name, min, max, q)));
  };
  CHECK(lr("log_uniform_values", 1e-4, 1e-2).empty());
  CHECK(absl::StrContains(lr("log_uniform_value", 1e-4, 1e-2),
                          "(did you mean \"log_uniform_values\"?)"));
  CHECK(absl::StrContains(lr("uniform", 2, 1), "min must be below max, got 2 and 1"));
  CHECK(absl::StrContains(lr("log_uniform_values", 0, 1), "must be above 0, got 0"));
  CHECK(absl::StrContains(lr("q_uniform", 0.1, 1), "q must be above 0, got 0"));
  CHECK(absl::StrContains(lr("q_uniform", 0.1, 0.2, 7), "no multiple of q lies from min to max"));
  CHECK(absl::StrContains(lr("uniform", 0, std::nan("")), "numbers must be finite"));
  CHECK(absl::StrContains(lr("int_uniform", 0.5, 3), "must be whole numbers, got 0.5 and 3"));
  CHECK(absl::StrContains(Refusal(Over(Distribution("model.n_layers", "uniform", 1, 9))),
                          "this key takes whole numbers"));
  CHECK(Refusal(Over(Distribution("model.n_layers", "int_uniform", 1, 9))).empty());
  CHECK(absl::StrContains(Refusal(Over(Distribution("title", "uniform", 1, 9))),
                          "uniform is for numbers; this key takes values"));
  v1::SweepParameter normal = Distribution("optim.adamw.lr", "normal", 0, 0);
  CHECK(absl::StrContains(Refusal(Over(normal)), "sigma must be above 0, got 0"));
}

TEST_CASE("a grid needs what it can go through, and random a number of runs") {
  CHECK(absl::StrContains(Refusal(Over(Distribution("optim.adamw.lr", "uniform", 0.1, 1), "grid")),
                          "method grid cannot go through uniform"));
  CHECK(Refusal(Over(Distribution("optim.adamw.lr", "q_uniform", 0.1, 0.3, 0.1), "grid")).empty());
  v1::SweepSpec sweep = Over(Distribution("optim.adamw.lr", "uniform", 0.1, 1));
  sweep.clear_max_trials();
  CHECK(absl::StrContains(Refusal(sweep), "max_trials: is required for method random"));
}

TEST_CASE("a sweep has at most 100,000 runs, and an arm fits in max_trials") {
  v1::SweepSpec sweep = Over(Distribution("seed", "int_uniform", 1, 100001), "grid");
  CHECK(absl::StrContains(Refusal(sweep), "the grid has 100001 runs; at most 100000 are allowed"));
  sweep = BaseSweep();
  Add(&sweep, "seed")->set_repeat(5);
  sweep.set_max_trials(4);
  CHECK(absl::StrContains(Refusal(sweep), "must hold at least one arm of 5 seeds, got 4"));
  sweep.set_max_trials(5);
  sweep.mutable_base()->set_seed((uint64_t{1} << 53) - 2);
  CHECK(absl::StrContains(Refusal(sweep), "passes the largest seed"));
}

TEST_CASE("the first arm whose values do not go together is named with them") {
  v1::SweepSpec sweep = BaseSweep();
  AddAxis(&sweep, "model.n_heads", {3, 6, 7});
  AddAxis(&sweep, "model.d_model", {768});
  const std::string refusal = Refusal(sweep);
  CHECK(absl::StartsWith(refusal, "arm 2 (model.d_model=768 model.n_heads=7): model.d_model: "));
  CHECK(FirstBadArm(ResolveSweep(sweep).value())->arm == 2);
}

TEST_CASE("a sweep's name leaves room for the numbers of its runs") {
  v1::SweepSpec sweep = BaseSweep();
  AddAxis(&sweep, "seed", {1});
  sweep.set_name(std::string(56, 'a'));
  CHECK(CheckSweep(sweep).ok());
  sweep.set_name(std::string(57, 'a'));
  CHECK(absl::StrContains(Refusal(sweep), "name: a sweep's name must have at most 56"));
}

}  // namespace
}  // namespace ddl
