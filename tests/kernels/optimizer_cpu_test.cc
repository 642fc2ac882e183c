#include <catch2/catch.hpp>

#include "tests/kernels/optimizer_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The optimizer on the CPU equals its definitions, in every type") {
  CheckOptimizers(Cpu{}, {1, 7, 1000});
}

TEST_CASE("A decay rate of a moment below 0 or of 1 is refused") {
  Buffer<float, Cpu> x(8);
  Buffer<int64_t, Cpu> step(1);
  AdamW<float> call;
  call.count = 8;
  call.masters = x.data();
  call.gradients = x.data();
  call.first_moment = x.data();
  call.second_moment = x.data();
  call.learning_rate = x.data();
  call.step = step.data();
  call.beta2 = 1.0;
  CHECK(Launch(call, Cpu{}).message() == "adamw: beta2 must be in [0, 1)");
}

}  // namespace
}  // namespace ddl::kernels
