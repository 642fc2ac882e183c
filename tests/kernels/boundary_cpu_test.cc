#include <catch2/catch.hpp>

#include "tests/kernels/boundary_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The boundary on the CPU equals its parts one after the other, in every type") {
  CheckRandomBoundaries(Cpu{}, 2, 200, 6);
}

TEST_CASE("The boundary on the CPU gives the same bits again, also in place") {
  CheckBoundaryBits<Bf16>({.tokens = 5, .d = 72, .n = 4, .update = Update::kDdl}, Cpu{});
  CheckBoundaryBits<float>({.tokens = 5, .d = 72, .n = 2, .update = Update::kWriteOnly}, Cpu{});
}

}  // namespace
}  // namespace ddl::kernels
