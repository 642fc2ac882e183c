// Against plain loops in float64.
#include "worker/model/channel_compressor.h"

#include "tests/worker/model/loops.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

ModelConfig ChannelConfig(int64_t channels, int64_t taps) {
  ModelConfig config{.d_model = 6, .n_layers = 1};
  config.residual.value_channels = channels;
  config.residual.compress_kernel = taps;
  return config;
}

TEST_CASE("The channel compressor is a padded convolution along the channels and a read vector") {
  for (int64_t n = 1; n <= 6; ++n) {
    for (int64_t taps = 1; taps <= n; ++taps) {
      INFO("channels " << n << ", taps " << taps);
      Parameters parameters(1);
      const ChannelCompressor compressor(ChannelConfig(n, taps), "compress", &parameters);
      Randomize(parameters);
      const at::Tensor kernel = parameters.all()[0].value;
      const at::Tensor read = parameters.all()[1].value;
      REQUIRE(kernel.sizes() == at::IntArrayRef({6, taps}));
      const at::Tensor state = at::randn({1, 1, n, 6});
      const at::Tensor x = compressor.Compress(state);
      const int64_t left = (taps - 1) / 2;
      for (int64_t i = 0; i < 6; ++i) {
        double want = 0;
        for (int64_t j = 0; j < n; ++j) {
          double convolved = 0;
          for (int64_t s = 0; s < taps; ++s) {
            const int64_t from = j + s - left;
            if (from >= 0 && from < n) convolved += At(kernel, {i, s}) * At(state, {0, 0, from, i});
          }
          want += At(read, {j}) * convolved;
        }
        CHECK(At(x, {0, 0, i}) == Approx(want).margin(1e-5));
      }
    }
  }
}

TEST_CASE("The channel compressor folds to one effective weight") {
  Parameters parameters(1);
  const ChannelCompressor compressor(ChannelConfig(5, 4), "compress", &parameters);
  Randomize(parameters);
  const at::Tensor weight = compressor.EffectiveWeight();
  REQUIRE(weight.sizes() == at::IntArrayRef({5, 6}));
  // Column by column: the answer to a state that is 1 at one place and 0 elsewhere.
  for (int64_t j = 0; j < 5; ++j) {
    for (int64_t i = 0; i < 6; ++i) {
      const at::Tensor state = at::zeros({1, 1, 5, 6});
      state[0][0][j][i] = 1.0;
      CHECK(At(compressor.Compress(state), {0, 0, i}) == Approx(At(weight, {j, i})).margin(1e-6));
    }
  }
}

}  // namespace
}  // namespace ddl
