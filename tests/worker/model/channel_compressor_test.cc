// Against plain loops in float64.
#include "worker/model/channel_compressor.h"

#include <random>

#include "tests/worker/model/loops.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("The channel compressor is a padded convolution along the channels and a read vector") {
  const unsigned seed = std::random_device()();
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  for (int64_t n = 1; n <= 6; ++n) {
    for (int64_t taps = 1; taps <= n; ++taps) {
      const CompressorCase drawn(n, taps, taps % 2 == 0 ? at::kFloat : at::kDouble, &random);
      INFO("seed " << seed << ", channels " << n << ", taps " << taps << ", d " << drawn.width);
      Parameters parameters(1);
      const ChannelCompressor compressor(drawn.config, "compress", &parameters);
      parameters.Flatten(at::kCPU, drawn.type);
      Randomize(parameters);
      const at::Tensor kernel = parameters.all()[0].value;
      const at::Tensor read = parameters.all()[1].value;
      REQUIRE(kernel.sizes() == at::IntArrayRef({drawn.width, taps}));
      const at::Tensor state = at::randn({1, 1, n, drawn.width}, drawn.type);
      const at::Tensor x = compressor.Compress(state);
      const int64_t left = (taps - 1) / 2;
      for (int64_t i = 0; i < drawn.width; ++i) {
        double want = 0;
        for (int64_t j = 0; j < n; ++j) {
          double convolved = 0;
          for (int64_t s = 0; s < taps; ++s) {
            const int64_t from = j + s - left;
            if (from >= 0 && from < n) convolved += At(kernel, {i, s}) * At(state, {0, 0, from, i});
          }
          want += At(read, {j}) * convolved;
        }
        CHECK(At(x, {0, 0, i}) == Approx(want).margin(drawn.Bound()));
      }
    }
  }
}

TEST_CASE("The channel compressor folds to one effective weight, in fp32 and fp64") {
  const unsigned seed = std::random_device()();
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const int64_t n = std::uniform_int_distribution<int64_t>(1, 6)(random);
    const int64_t taps = std::uniform_int_distribution<int64_t>(1, n)(random);
    const CompressorCase drawn(n, taps, type, &random);
    INFO("seed " << seed << ", channels " << n << ", taps " << taps << ", d " << drawn.width);
    Parameters parameters(1);
    const ChannelCompressor compressor(drawn.config, "compress", &parameters);
    parameters.Flatten(at::kCPU, type);
    Randomize(parameters);
    const at::Tensor weight = compressor.EffectiveWeight();
    REQUIRE(weight.sizes() == at::IntArrayRef({n, drawn.width}));
    // Column by column: the answer to a state that is 1 at one place and 0 elsewhere.
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < drawn.width; ++i) {
        const at::Tensor state = at::zeros({1, 1, n, drawn.width}, type);
        state[0][0][j][i] = 1.0;
        at::Tensor want = at::zeros({drawn.width}, type);
        want[i] = At(weight, {j, i});
        CHECK(at::allclose(compressor.Compress(state).view({drawn.width}).detach(), want,
                           drawn.Bound(), drawn.Bound()));
      }
    }
  }
}

}  // namespace
}  // namespace ddl
