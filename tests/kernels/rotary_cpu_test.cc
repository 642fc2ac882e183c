#include <catch2/catch.hpp>

#include "tests/kernels/rotary_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("Norm and rotation on the CPU equal their formulas and slopes, in every order") {
  CheckRotaries(Cpu{}, 3, 3, 20);
}

TEST_CASE("An odd head size and a gain without its twin are refused") {
  RotaryForward<float> call;
  call.shape.tokens = 1;
  call.shape.sequence = 1;
  call.shape.query_heads = 1;
  call.shape.key_heads = 1;
  call.shape.head_dim = 7;
  CHECK(Launch(call, Cpu{}).message() == "rotary forward: head_dim must be a multiple of 2, got 7");
  Buffer<float, Cpu> gain(8);
  call.shape.head_dim = 8;
  call.shape.row_stride = 16;
  call.shape.query_gain = gain.data();
  CHECK(Launch(call, Cpu{}).message() ==
        "rotary forward: query_gain and key_gain must be given together");
}

}  // namespace
}  // namespace ddl::kernels
