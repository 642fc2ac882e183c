#include "kernels/launch.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/element.h"

namespace ddl::kernels {
namespace {

TEST_CASE("A contract answers with the first broken rule") {
  CHECK(Contract("k").Between("d", 5, 1, 9).MultipleOf("d", 6, 3).outcome().ok());
  CHECK(Contract("k").Between("d", 0, 1, 9).Require(false, "later").outcome().message() ==
        "k: d must be between 1 and 9, got 0");
}

TEST_CASE("Bf16 rounds to nearest, ties to even, and keeps NaN and infinity") {
  CHECK(FromReal<Bf16>(1.0F).bits == 0x3f80);
  CHECK(FromReal<Bf16>(1.00390625F).bits == 0x3f80);  // Halfway: the even one below.
  CHECK(FromReal<Bf16>(1.01171875F).bits == 0x3f82);  // Halfway: the even one above.
  CHECK(std::isnan(ToReal(FromReal<Bf16>(NAN))));
  CHECK(FromReal<Bf16>(3.4e38F).bits == 0x7f80);
  CHECK(ToReal(FromReal<Bf16>(-INFINITY)) == -INFINITY);
}

}  // namespace
}  // namespace ddl::kernels
