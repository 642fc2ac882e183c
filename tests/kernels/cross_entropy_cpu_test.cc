#include <catch2/catch.hpp>

#include "tests/kernels/cross_entropy_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The loss on the CPU and its gradient equal their definitions, in every type") {
  CheckCrossEntropies(Cpu{}, 6, 7, 300);
}

TEST_CASE("A target beyond the vocabulary gives a loss of NaN on the CPU") {
  CheckUnknownTarget(Cpu{});
}

TEST_CASE("Rows shorter than the vocabulary are refused") {
  Buffer<float, Cpu> logits(8);
  CrossEntropy<float> call;
  call.tokens = 1;
  call.vocabulary = 9;
  call.stride = 8;
  call.logits = logits.data();
  CHECK(Launch(call, Cpu{}).message() == "cross entropy: stride must be at least the vocabulary");
}

}  // namespace
}  // namespace ddl::kernels
