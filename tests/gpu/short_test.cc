// Every kernel at small sizes: what compute-sanitizer goes through in a minute.
#include <catch2/catch.hpp>

#include "tests/gpu/device_memory.h"
#include "tests/kernels/activation_cases.h"
#include "tests/kernels/boundary_cases.h"
#include "tests/kernels/cross_entropy_cases.h"
#include "tests/kernels/embedding_cases.h"
#include "tests/kernels/gate_cases.h"
#include "tests/kernels/optimizer_cases.h"
#include "tests/kernels/rotary_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("Small boundaries on the GPU are right", "[short]") {
  CheckRandomBoundaries(Gpu{}, 1, 300, 9);
  BoundaryTruth wide;
  wide.shape = {.tokens = 2, .d = 4096, .n = 8, .update = Update::kDdl};
  std::mt19937 random(1);
  CheckBoundaryCase<Bf16>(wide, Gpu{}, &random);
}

TEST_CASE("Small calls of every other kernel on the GPU are right", "[short]") {
  CheckActivations(Gpu{}, 1, 9);
  CheckCrossEntropies(Gpu{}, 2, 5, 300);
  CheckRotaries(Gpu{}, 1, 5, 20);
  CheckEmbeddings(Gpu{}, 2, 9, 100);
  CheckGates(Gpu{}, 1, 9);
  CheckOptimizers(Gpu{}, {3, 1000});
}

}  // namespace
}  // namespace ddl::kernels
