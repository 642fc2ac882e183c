#include "worker/train/generate/sampling.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace ddl {
namespace {

constexpr int kDraws = 20000;

// How often each token comes when the random number runs evenly through [0, 1).
std::vector<double> Shares(const std::vector<float>& logits, const SamplingConfig& config) {
  std::vector<double> shares(logits.size());
  for (int i = 0; i < kDraws; ++i) {
    const int64_t token = SampleToken(logits, config, (i + 0.5) / kDraws);
    shares[static_cast<size_t>(token)] += 1.0 / kDraws;
  }
  return shares;
}

void CheckShares(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(2e-4));
}

// Of logits log 1, log 2, log 5: probabilities 1/8, 2/8, 5/8.
const std::vector<float> kLogits = {0, std::log(2.0F), std::log(5.0F)};

TEST_CASE("Tokens come as often as the softmax of the logits says") {
  CheckShares(Shares(kLogits, {}), {1.0 / 8, 2.0 / 8, 5.0 / 8});
}

TEST_CASE("A temperature divides the logits, and 0 takes the likeliest token") {
  // At 1/2 the weights are squared: 1, 4, 25.
  CheckShares(Shares(kLogits, {.temperature = 0.5}), {1.0 / 30, 4.0 / 30, 25.0 / 30});
  CheckShares(Shares(kLogits, {.temperature = 0}), {0, 0, 1});
  CHECK(SampleToken({3, 7, 7}, {.temperature = 0}, 0.9) == 1);
}

TEST_CASE("Top-k leaves the k likeliest tokens in their proportions") {
  CheckShares(Shares(kLogits, {.top_k = 2}), {0, 2.0 / 7, 5.0 / 7});
  CheckShares(Shares(kLogits, {.top_k = 1}), {0, 0, 1});
  CheckShares(Shares(kLogits, {.top_k = 9}), {1.0 / 8, 2.0 / 8, 5.0 / 8});
}

TEST_CASE("Top-p leaves the likeliest tokens that first reach p, at least one") {
  CheckShares(Shares(kLogits, {.top_p = 0.5}), {0, 0, 1});
  CheckShares(Shares(kLogits, {.top_p = 0.7}), {0, 2.0 / 7, 5.0 / 7});
  CheckShares(Shares(kLogits, {.top_p = 0.9}), {1.0 / 8, 2.0 / 8, 5.0 / 8});
  CheckShares(Shares(kLogits, {.top_p = 1e-9}), {0, 0, 1});
  // Of the two that top-k leaves, 5/7 are reached by the first alone.
  CheckShares(Shares(kLogits, {.top_k = 2, .top_p = 0.7}), {0, 0, 1});
}

TEST_CASE("Large logits overflow nothing") {
  CheckShares(Shares({1e4F, 1e4F, -1e4F}, {}), {0.5, 0.5, 0});
}

}  // namespace
}  // namespace ddl
