#include "kernels/reference/compress.h"

#include <catch2/catch.hpp>
#include <random>

namespace ddl::kernels::reference {
namespace {

TEST_CASE("A channel compressor folds to one weight for each channel and feature") {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  Compressor c{.kind = Compressor::Kind::kChannel,
               .n = 4,
               .d = 3,
               .taps = 4,
               .kernel = Zeros(12),
               .read = Zeros(4)};
  Vector state = Zeros(2 * 12);
  for (Vector* values : {&c.kernel, &c.read, &state}) {
    for (double& value : *values) value = normal(random);
  }
  const Vector folded = FoldChannel(c);
  const Vector x = Compress(c, state);
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t i = 0; i < c.d; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < c.n; ++j) sum += folded[j * c.d + i] * state[(t * c.n + j) * c.d + i];
      CHECK(x[t * c.d + i] == Approx(sum));
    }
  }
}

TEST_CASE("A kernel of a last tap alone makes every channel the embedding") {
  EmbeddingConvolution c{.n = 2, .d = 2, .taps = 3, .tokens = 2, .kernel = Zeros(12)};
  for (int64_t row = 0; row < 4; ++row) c.kernel[row * 3 + 2] = 1.0;
  CHECK(Expand(c, {1, 2, 3, 4}) == Vector{1, 2, 1, 2, 3, 4, 3, 4});
}

}  // namespace
}  // namespace ddl::kernels::reference
