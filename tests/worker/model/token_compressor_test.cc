// Against plain loops in float64.
#include "worker/model/token_compressor.h"

#include <random>

#include "tests/worker/model/loops.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("The token compressor is a causal convolution of every channel and a read vector") {
  constexpr int64_t kTokens = 5;
  const unsigned seed = std::random_device()();
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  for (const int64_t n : {1, 3}) {
    for (const int64_t taps : {1, 2, 4, 7}) {
      const CompressorCase drawn(n, taps, taps > 2 ? at::kFloat : at::kDouble, &random);
      INFO("seed " << seed << ", channels " << n << ", taps " << taps << ", d " << drawn.width);
      Parameters parameters(1);
      const TokenCompressor compressor(drawn.config, "compress", &parameters);
      parameters.Flatten(at::kCPU, drawn.type);
      Randomize(parameters);
      const at::Tensor kernel = parameters.all()[0].value;
      const at::Tensor read = parameters.all()[1].value;
      REQUIRE(parameters.all()[0].name == "compress.shortconv.weight");
      REQUIRE(kernel.sizes() == at::IntArrayRef({drawn.width * n, taps}));
      const at::Tensor state = at::randn({1, kTokens, n, drawn.width}, drawn.type);
      const at::Tensor x = compressor.Compress(state);
      for (int64_t t = 0; t < kTokens; ++t) {
        for (int64_t i = 0; i < drawn.width; ++i) {
          double want = 0;
          for (int64_t j = 0; j < n; ++j) {
            for (int64_t s = 0; s < taps; ++s) {
              const int64_t from = t - (taps - 1) + s;
              if (from < 0) continue;
              want += At(read, {j}) * At(kernel, {i * n + j, s}) * At(state, {0, from, j, i});
            }
          }
          CHECK(At(x, {0, t, i}) == Approx(want).margin(drawn.Bound()));
        }
      }
    }
  }
}

TEST_CASE("The token compressor starts as the mean of the channels of its own token") {
  std::mt19937_64 random(3);
  const CompressorCase drawn(4, 3, at::kFloat, &random);
  Parameters parameters(1);
  const TokenCompressor compressor(drawn.config, "compress", &parameters);
  const at::Tensor state = at::randn({2, 6, 4, drawn.width});
  CHECK(at::allclose(compressor.Compress(state).detach(), state.mean(2), 1e-5, 1e-6));
}

}  // namespace
}  // namespace ddl
