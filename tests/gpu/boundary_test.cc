#include <catch2/catch.hpp>

#include "tests/gpu/device_memory.h"
#include "tests/kernels/boundary_cases.h"

namespace ddl::kernels {
namespace {

BoundaryTruth Sized(int64_t d, int64_t n, int64_t tokens, Update update) {
  BoundaryTruth b;
  b.shape = {.tokens = tokens, .d = d, .n = n, .update = update};
  return b;
}

TEST_CASE("The boundary on the GPU equals its parts one after the other") {
  CheckRandomBoundaries(Gpu{}, 4, 1400, 40);
}

TEST_CASE("The boundary on the GPU is right at the sizes that models have") {
  std::mt19937 random(23);
  for (const int64_t d : {768, 1024}) {
    for (const int64_t n : {1, 4}) {
      CheckBoundaryTypes(Sized(d, n, 1500, Update::kDdl), Gpu{}, &random);
    }
    CheckBoundaryTypes(Sized(d, 1, 1500, Update::kAdditive), Gpu{}, &random);
  }
}

TEST_CASE("The boundary on the GPU is right at the widest states, which no block can hold") {
  std::mt19937 random(29);
  for (const int64_t n : {1, 2, 4, 8}) {
    CheckBoundaryTypes(Sized(4096, n, 3, Update::kDdl), Gpu{}, &random);
    CheckBoundaryTypes(Sized(4088, n, 2, Update::kWriteOnly), Gpu{}, &random);
    CheckBoundaryTypes(Sized(2056, n, 3, Update::kNone), Gpu{}, &random);
    CheckBoundaryTypes(Sized(32, n, 700, Update::kDdl), Gpu{}, &random);
  }
}

TEST_CASE("The boundary on the GPU gives the same bits again, also in place") {
  CheckBoundaryBits<Bf16>({.tokens = 3000, .d = 768, .n = 4, .update = Update::kDdl}, Gpu{});
  CheckBoundaryBits<Bf16>({.tokens = 3000, .d = 1024, .n = 1, .update = Update::kDdl}, Gpu{});
  CheckBoundaryBits<float>({.tokens = 700, .d = 520, .n = 8, .update = Update::kWriteOnly}, Gpu{});
}

TEST_CASE("A backward boundary on the GPU without a workspace is refused") {
  std::mt19937 random(31);
  BoundaryTruth b = Sized(64, 2, 4, Update::kDdl);
  FillInputs<float>(&b, &random);
  BoundaryRun<float, Gpu> run(b);
  BoundaryBackward<float> call = run.BackwardCall();
  call.workspace_size = 8;
  CHECK(Launch(call, Gpu{}).message() ==
        "boundary backward: workspace_size must be at least BoundaryWorkspace(d, n)");
  call.workspace = nullptr;
  CHECK(Launch(call, Gpu{}).message() == "boundary backward: workspace must be given");
}

}  // namespace
}  // namespace ddl::kernels
