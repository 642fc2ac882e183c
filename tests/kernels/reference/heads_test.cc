#include "kernels/reference/heads.h"

#include <catch2/catch.hpp>

namespace ddl::kernels::reference {
namespace {

TEST_CASE("A norm without eps makes the mean square that of the gain") {
  const Vector out = RmsNorm({3.0, -4.0}, {1.0, 1.0}, 0.0);
  CHECK(out[0] * out[0] + out[1] * out[1] == Approx(2.0));
  CHECK(out[0] / out[1] == Approx(-0.75));
}

TEST_CASE("A gate of logit 0 is 1, and one of a large logit nears 2") {
  CHECK(Beta({.output = {1.0, 1.0}, .bias = 0}, {0.5, -0.5}) == Approx(1.0));
  CHECK(Beta({.output = {1.0}, .bias = 40}, {0.0}) == Approx(2.0));
  // Two layers: tanh(2 * 0.25) times 3.
  CHECK(Beta({.input = {2.0}, .output = {3.0}, .bias = 0}, {0.25}) ==
        Approx(2.0 / (1.0 + std::exp(-3.0 * std::tanh(0.5)))));
}

TEST_CASE("A value is linear with scale 0 and a scaled sigmoid otherwise") {
  const ValueHead linear{.weight = {1.0, 2.0}, .bias = {0.5}, .scale = 0};
  CHECK(Value(linear, {3.0, -1.0})[0] == 1.5);
  const ValueHead scaled{.weight = {1.0, 2.0}, .bias = {0.5}, .scale = 4};
  CHECK(Value(scaled, {3.0, -1.0})[0] == Approx(4.0 / (1.0 + std::exp(-1.5))));
}

}  // namespace
}  // namespace ddl::kernels::reference
