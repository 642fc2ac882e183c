// Every kernel but the boundary on the GPU, by the cases that its CPU version passes.
#include <catch2/catch.hpp>

#include "tests/gpu/device_memory.h"
#include "tests/kernels/activation_cases.h"
#include "tests/kernels/cross_entropy_cases.h"
#include "tests/kernels/embedding_cases.h"
#include "tests/kernels/gate_cases.h"
#include "tests/kernels/optimizer_cases.h"
#include "tests/kernels/rotary_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The activations on the GPU equal their formulas and slopes") {
  CheckActivations(Gpu{}, 4, 700);
}

TEST_CASE("The loss on the GPU and its gradient equal their definitions") {
  CheckCrossEntropies(Gpu{}, 8, 400, 3000);
  std::mt19937 random(3);
  CheckCrossEntropyCase<Bf16>(5, 50304, 50304, 1.0, Gpu{}, &random);
  CheckCrossEntropyCase<Bf16>(3, 70001, 70008, 1.0, Gpu{}, &random);  // Too long to stage.
  CheckUnknownTarget(Gpu{});
}

TEST_CASE("Norm and rotation on the GPU equal their formulas and slopes, in every order") {
  CheckRotaries(Gpu{}, 4, 40, 40);
  CheckRotaries(Gpu{}, 1, 3, 400);
}

TEST_CASE("The embedding on the GPU equals the reference's convolution, both ways") {
  CheckEmbeddings(Gpu{}, 8, 300, 900);
}

TEST_CASE("The gate's second layer and the fold on the GPU equal the reference, both ways") {
  CheckGates(Gpu{}, 6, 900);
}

TEST_CASE("The optimizer on the GPU equals its definitions") {
  CheckOptimizers(Gpu{}, {1, 3, 1000, 132 * 8 * 1024 + 5});
}

}  // namespace
}  // namespace ddl::kernels
