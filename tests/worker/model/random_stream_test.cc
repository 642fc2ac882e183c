#include "worker/model/random_stream.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace ddl {
namespace {

using Words = std::array<uint32_t, 4>;

TEST_CASE("Philox gives the known answers of its authors") {
  // kat_vectors of Random123, philox4x32 with 10 rounds.
  CHECK(Philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr uint32_t kOnes = 0xffffffff;
  CHECK(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

std::vector<float> Normal(uint64_t seed, const char* name, int64_t count, double deviation) {
  std::vector<float> values(static_cast<size_t>(count));
  RandomStream(seed, name).FillNormal(values.data(), count, deviation);
  return values;
}

TEST_CASE("A stream has the moments of the normal distribution") {
  const std::vector<float> values = Normal(7, "x", 200000, 0.5);
  double mean = 0;
  double square = 0;
  double fourth = 0;
  for (const double value : values) {
    mean += value / 200000;
    square += value * value / 200000;
    fourth += std::pow(value, 4) / 200000;
  }
  CHECK(std::abs(mean) < 4 * 0.5 / std::sqrt(200000.0));
  CHECK(square == Approx(0.25).epsilon(0.015));
  CHECK(fourth == Approx(3 * 0.0625).epsilon(0.05));
}

TEST_CASE("A stream depends on seed and name, and not on how much of it is read") {
  const std::vector<float> values = Normal(1, "a", 1001, 1);
  const std::vector<float> fewer = Normal(1, "a", 7, 1);
  CHECK(std::vector<float>(values.begin(), values.begin() + 7) == fewer);
  CHECK(Normal(2, "a", 7, 1) != fewer);
  CHECK(Normal(1, "b", 7, 1) != fewer);
}

TEST_CASE("The initial weights of recipe 1 are what they always were") {
  // Made by another implementation of the same definition. A change of these numbers changes what
  // every seed means: it has to raise kRecipeVersion.
  REQUIRE(kRecipeVersion == 1);
  const Words words = RandomStream(1, "transformer.wte.weight").At(0);
  CHECK(words == Words{0x152f105a, 0xf6273b86, 0xcc0f3ca4, 0xffbb946f});
  const std::vector<float> values = Normal(1, "transformer.wte.weight", 3, 0.02);
  CHECK(values[0] == Approx(0.0433516182).epsilon(1e-6));
  CHECK(values[1] == Approx(-0.0106858847).epsilon(1e-6));
  CHECK(values[2] == Approx(0.0134686592).epsilon(1e-6));
}

}  // namespace
}  // namespace ddl
