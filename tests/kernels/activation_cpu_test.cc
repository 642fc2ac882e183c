#include <catch2/catch.hpp>

#include "tests/kernels/activation_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The activations on the CPU equal their formulas and slopes, in every type") {
  CheckActivations(Cpu{}, 3, 9);
}

TEST_CASE("An activation of a width that is no multiple of 8 is refused") {
  Buffer<float, Cpu> in(40);
  Buffer<float, Cpu> out(20);
  const ActivationForward<float> call{1, 20, Activation::kSwiGlu, in.data(), out.data()};
  CHECK(Launch(call, Cpu{}).message() ==
        "activation forward: d_ff must be a multiple of 8, got 20");
}

}  // namespace
}  // namespace ddl::kernels
