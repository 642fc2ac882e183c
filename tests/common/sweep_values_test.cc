#include "common/sweep_values.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace ddl {
namespace {

using google::protobuf::Value;

v1::SweepParameter Distribution(const std::string& name, double min, double max, double q = 0) {
  v1::SweepParameter parameter;
  parameter.set_path("optim.adamw.lr");
  parameter.set_distribution(name);
  parameter.set_min(min);
  parameter.set_max(max);
  parameter.set_q(q);
  return parameter;
}

v1::SweepParameter Normal(const std::string& name, double mu, double sigma, double q = 0) {
  v1::SweepParameter parameter = Distribution(name, 0, 0, q);
  parameter.set_mu(mu);
  parameter.set_sigma(sigma);
  return parameter;
}

constexpr int kDraws = 20000;

std::vector<double> Draws(const v1::SweepParameter& parameter, uint64_t seed = 7) {
  std::vector<double> draws;
  for (int arm = 0; arm < kDraws; ++arm) {
    draws.push_back(DrawValue(parameter, seed, arm).number_value());
  }
  return draws;
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments MomentsOf(
    const std::vector<double>& draws,
    const std::function<double(double)>& of = [](double x) { return x; }) {
  Moments moments;
  for (const double x : draws) moments.mean += of(x) / kDraws;
  for (const double x : draws) moments.variance += std::pow(of(x) - moments.mean, 2) / kDraws;
  return moments;
}

// The draws are fixed, so these bounds of four standard errors hold always or never.
void CheckMoments(const Moments& got, double mean, double variance) {
  CHECK(std::abs(got.mean - mean) < 4 * std::sqrt(variance / kDraws));
  CHECK(got.variance == Approx(variance).epsilon(0.05));
}

TEST_CASE("uniform values have the mean and variance of their interval") {
  const std::vector<double> draws = Draws(Distribution("uniform", 2, 5));
  CheckMoments(MomentsOf(draws), 3.5, 9.0 / 12);
  CHECK(*std::min_element(draws.begin(), draws.end()) >= 2);
  CHECK(*std::max_element(draws.begin(), draws.end()) <= 5);
}

TEST_CASE("logarithms of log-uniform values are uniform") {
  const std::vector<double> draws = Draws(Distribution("log_uniform_values", 1e-4, 1e-2));
  const double width = std::log(100.0);
  CheckMoments(MomentsOf(draws, [](double x) { return std::log(x); }),
               (std::log(1e-4) + std::log(1e-2)) / 2, width * width / 12);
  CHECK(*std::min_element(draws.begin(), draws.end()) >= 1e-4);
  CHECK(*std::max_element(draws.begin(), draws.end()) <= 1e-2);
}

TEST_CASE("normal values have their mean and deviation, log-normal ones in their logarithm") {
  CheckMoments(MomentsOf(Draws(Normal("normal", 3, 2))), 3, 4);
  CheckMoments(
      MomentsOf(Draws(Normal("log_normal", -1, 0.5)), [](double x) { return std::log(x); }), -1,
      0.25);
  const std::vector<double> draws = Draws(Normal("normal", 0, 1));
  const auto within =
      std::count_if(draws.begin(), draws.end(), [](double x) { return std::abs(x) < 1.959964; });
  CHECK(static_cast<double>(within) / kDraws == Approx(0.95).margin(0.0065));
}

TEST_CASE("whole numbers are uniform with both ends") {
  const std::vector<double> draws = Draws(Distribution("int_uniform", -1, 3));
  for (int value = -1; value <= 3; ++value) {
    const auto count = std::count(draws.begin(), draws.end(), static_cast<double>(value));
    CHECK(std::abs(static_cast<double>(count) - kDraws / 5.0) < 4 * std::sqrt(kDraws * 0.2 * 0.8));
  }
  CHECK(std::set<double>(draws.begin(), draws.end()).size() == 5);
}

TEST_CASE("quantized values are multiples of q inside the bounds") {
  const std::vector<double> draws = Draws(Distribution("q_uniform", 0.25, 1.0, 0.1));
  CHECK(std::set<double>(draws.begin(), draws.end()) ==
        std::set<double>{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0});
  for (const double x : Draws(Distribution("q_log_uniform_values", 32, 1024, 32))) {
    CHECK(std::fmod(x, 32) == 0);
    CHECK((x >= 32 && x <= 1024));
  }
}

TEST_CASE("listed values are drawn evenly, or by their probabilities") {
  v1::SweepParameter parameter = Distribution("categorical", 0, 0);
  for (const double value : {1, 2, 3}) parameter.add_values()->set_number_value(value);
  const auto share = [&](double value) {
    const std::vector<double> draws = Draws(parameter);
    return static_cast<double>(std::count(draws.begin(), draws.end(), value)) / kDraws;
  };
  CHECK(share(2) == Approx(1.0 / 3).margin(0.014));
  for (const double probability : {0.7, 0.0, 0.3}) parameter.add_probabilities(probability);
  CHECK(share(1) == Approx(0.7).margin(0.014));
  CHECK(share(2) == 0);
  CHECK(share(3) == Approx(0.3).margin(0.014));
}

TEST_CASE("a draw depends on seed, arm and path, and on nothing else") {
  v1::SweepParameter a = Distribution("uniform", 0, 1);
  v1::SweepParameter b = a;
  b.set_path("optim.adamw.eps");
  CHECK(Draws(a) == Draws(a));
  CHECK(Draws(a, 7) != Draws(a, 8));
  const std::vector<double> x = Draws(a);
  const std::vector<double> y = Draws(b);
  double covariance = 0;
  for (int i = 0; i < kDraws; ++i) covariance += (x[i] - 0.5) * (y[i] - 0.5) / kDraws;
  CHECK(std::abs(covariance * 12) < 4 / std::sqrt(kDraws));  // Two paths are independent.
  double lagged = 0;
  for (int i = 1; i < kDraws; ++i) lagged += (x[i] - 0.5) * (x[i - 1] - 0.5) / kDraws;
  CHECK(std::abs(lagged * 12) < 4 / std::sqrt(kDraws));  // And so are two arms.
}

TEST_CASE("a grid goes through every value once") {
  const v1::SweepParameter steps = Distribution("q_uniform", 0.1, 0.5, 0.1);
  CHECK(GridSize(steps) == 5);
  CHECK(GridValue(steps, 0).number_value() == 0.1);
  CHECK(GridValue(steps, 2).number_value() == 0.3);
  CHECK(GridValue(steps, 4).number_value() == 0.5);
  const v1::SweepParameter whole = Distribution("int_uniform", 2, 4);
  CHECK(GridSize(whole) == 3);
  CHECK(GridValue(whole, 2).number_value() == 4);
  CHECK(GridSize(Distribution("int_uniform", 0, 1e300)) == 1'000'000'000'000'000);
}

TEST_CASE("a sweep value is written as YAML would") {
  Value mapping;
  auto& fields = *mapping.mutable_struct_value()->mutable_fields();
  fields["value_channels"].set_number_value(4);
  fields["kind"].set_string_value("ddl");
  fields["embed_conv"].set_bool_value(false);
  CHECK(ValueText(mapping) == "{embed_conv: false, kind: ddl, value_channels: 4}");
  const ConfigNode node = NodeOfValue(mapping, {});
  CHECK(node.entries.size() == 3);
  CHECK(node.entries[0].key == "embed_conv");
  Value list;
  list.mutable_list_value()->add_values()->set_string_value("1");
  CHECK(ValueText(list) == "[\"1\"]");
  CHECK(NodeOfValue(list, {}).items.size() == 1);
  CHECK(ValueText(Value()) == "null");
}

}  // namespace
}  // namespace ddl
