#include <catch2/catch.hpp>

#include "tests/kernels/embedding_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("The embedding on the CPU equals the reference's convolution, both ways, in every type") {
  CheckEmbeddings(Cpu{}, 6, 6, 64);
}

TEST_CASE("Positions are sorted by id and stay in order among equal ids") {
  const std::vector<int32_t> ids = {4, 1, 4, 0, 1};
  CHECK(SortedPositions(ids.data(), 5) == std::vector<int32_t>{3, 1, 4, 0, 2});
}

TEST_CASE("Tokens that are no whole sequences are refused") {
  Buffer<int32_t, Cpu> ids(4);
  Buffer<float, Cpu> table(32);
  EmbeddingForward<float> call;
  call.shape = {.tokens = 4, .sequence = 3, .d = 32};
  call.ids = ids.data();
  call.embedding = table.data();
  CHECK(Launch(call, Cpu{}).message() ==
        "embedding forward: tokens must be a multiple of 3, got 4");
}

}  // namespace
}  // namespace ddl::kernels
