#include <catch2/catch.hpp>

#include "tests/kernels/gate_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The gate's second layer and the fold on the CPU equal the reference, both ways") {
  CheckGates(Cpu{}, 6, 9);
}

TEST_CASE("A fold of more taps than channels is refused") {
  Buffer<float, Cpu> values(64);
  const CompressorFold<float> call{2, 8, 3, values.data(), values.data(), values.data()};
  CHECK(Launch(call, Cpu{}).message() == "compressor fold: taps must be between 1 and 2, got 3");
}

}  // namespace
}  // namespace ddl::kernels
