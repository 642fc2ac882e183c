// Every residual end to end: the gradient of each weight against central differences.
#include "kernels/reference/chain.h"

#include <catch2/catch.hpp>
#include <random>
#include <tuple>
#include <vector>

namespace ddl::kernels::reference {
namespace {

using Kind = RewriteKind;
using Compressing = Compressor::Kind;

struct Case {
  std::string name;
  ChainConfig config;
};

ChainConfig Gated(Kind kind, int64_t n, Compressing compressor, int64_t taps, int64_t embedding) {
  return {.kind = kind,
          .n = n,
          .compressor = compressor,
          .compressor_taps = taps,
          .embedding_taps = embedding};
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {{"additive", {.kind = Kind::kAdditive}},
                             {"seed_deepdeltares", {.kind = Kind::kSeedDeepDeltares}}};
  cases.back().config.gate_hidden = 3;
  for (const auto& [name, kind] :
       {std::pair("ddl", Kind::kDdl), std::pair("write_only", Kind::kWriteOnly)}) {
    const std::string kind_name = name;
    cases.push_back({kind_name + " n 1", Gated(kind, 1, Compressing::kNone, 1, 0)});
    cases.push_back({kind_name + " channel n 4", Gated(kind, 4, Compressing::kChannel, 4, 0)});
    cases.push_back(
        {kind_name + " channel n 3, embedding", Gated(kind, 3, Compressing::kChannel, 2, 4)});
    cases.push_back(
        {kind_name + " token n 2, embedding", Gated(kind, 2, Compressing::kToken, 3, 4)});
    Case hidden = {kind_name + " two-layer gate, v of c",
                   Gated(kind, 2, Compressing::kChannel, 2, 1)};
    hidden.config.gate_hidden = 3;
    hidden.config.v_from_c = true;
    hidden.config.v_scale = 0;
    cases.push_back(hidden);
    Case blunt = {kind_name + " large k_eps, linear v",
                  Gated(kind, 2, Compressing::kChannel, 2, 4)};
    blunt.config.k_eps = 0.7;
    blunt.config.v_scale = 0;
    cases.push_back(blunt);
  }
  for (const bool dynamic : {false, true}) {
    Case streams = {dynamic ? "hyper_connections dynamic" : "hyper_connections static", {}};
    streams.config.hyper_connections = true;
    streams.config.dynamic = dynamic;
    streams.config.n = 3;
    cases.push_back(streams);
  }
  return cases;
}

double Loss(const Vector& out, const Vector& weight) {
  return Dot(out.data(), weight.data(), static_cast<int64_t>(out.size()));
}

// d loss / d weight by central differences of fourth order: a direction of a short h bends so much
// that those of second order are off by more than the bound.
double Slope(const ChainConfig& config, Weights* weights, double* weight, const Vector& d_out) {
  const double at = *weight;
  const double step = 1e-5 * std::max(1.0, std::abs(at));
  const auto loss = [&](double steps) {
    *weight = at + steps * step;
    return Loss(RunChain(config, *weights), d_out);
  };
  const double slope = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * step);
  *weight = at;
  return slope;
}

// Largest |analytic - numeric| over all weights, relative to the largest gradient of the chain.
double WorstError(const ChainConfig& config, Weights weights, const Vector& d_out) {
  const Weights analytic = RunChainBackward(config, weights, d_out);
  double worst = 0;
  double largest = 0;
  for (const auto& [name, gradient] : analytic) {
    for (size_t i = 0; i < gradient.size(); ++i) {
      const double slope = Slope(config, &weights, &weights[name][i], d_out);
      worst = std::max(worst, std::abs(slope - gradient[i]));
      largest = std::max(largest, std::abs(gradient[i]));
    }
  }
  REQUIRE(largest > 0);
  return worst / largest;
}

TEST_CASE("Every gradient of every residual agrees with central differences") {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (const Case& c : Cases()) {
    const Weights weights = MakeWeights(c.config, [&](const std::string& name, int64_t) {
      return name.find("scale_") == std::string::npos ? 0.7 * normal(random) : 0.5;
    });
    Vector d_out = Zeros(c.config.tokens * c.config.sequences * c.config.d);
    for (double& value : d_out) value = normal(random);
    INFO(c.name << ", seed " << seed);
    CHECK(WorstError(c.config, weights, d_out) < 1e-6);
  }
}

TEST_CASE("No sequence of a batch sees another, nor a token one that comes after it") {
  ChainConfig config = Gated(Kind::kDdl, 2, Compressing::kToken, 3, 4);
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  Weights weights =
      MakeWeights(config, [&](const std::string&, int64_t) { return normal(random); });
  const Vector before = RunChain(config, weights);
  const int64_t changed = 3;  // Token 3 of the first sequence.
  weights["embedding"][changed * config.d] += 1.0;
  const Vector after = RunChain(config, weights);
  for (int64_t t = 0; t < config.tokens * config.sequences; ++t) {
    const bool same =
        std::equal(&before[t * config.d], &before[t * config.d] + config.d, &after[t * config.d]);
    CHECK(same == (t < changed || t >= config.tokens));
  }
}

}  // namespace
}  // namespace ddl::kernels::reference
