#include "worker/model/layers.h"

#include <cmath>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("Rotary positions turn half-split pairs and leave the other features alone") {
  // 5 / 8 of 16 features: 10, of which pairs (i, i + 5) turn.
  const ModelConfig config{.head_dim = 16, .rope_ratio = 0.625, .rope_base = 1000.0};
  const Rotary rotary = MakeRotary(config, /*tokens=*/7, at::kFloat);
  const at::Tensor x = at::randn({2, 7, 3, 16});
  const at::Tensor y = Rotate(x, rotary);
  for (int64_t t = 0; t < 7; ++t) {
    for (int64_t i = 0; i < 5; ++i) {
      const double angle =
          static_cast<double>(t) * std::pow(1000.0, -2.0 * static_cast<double>(i) / 10.0);
      const double first = x[1][t][2][i].item<double>();
      const double second = x[1][t][2][i + 5].item<double>();
      CHECK(y[1][t][2][i].item<double>() ==
            Approx(first * std::cos(angle) - second * std::sin(angle)).margin(1e-5));
      CHECK(y[1][t][2][i + 5].item<double>() ==
            Approx(first * std::sin(angle) + second * std::cos(angle)).margin(1e-5));
    }
  }
  CHECK(at::equal(y.narrow(-1, 10, 6), x.narrow(-1, 10, 6)));
  CHECK(at::equal(Rotate(x, MakeRotary({.head_dim = 16, .rope_ratio = 0}, 7, at::kFloat)), x));
}

TEST_CASE("Interleaved rotary positions turn neighbouring pairs by the same angles") {
  const ModelConfig config{.head_dim = 10, .rope_ratio = 0.65, .interleaved_pairs = true};
  const Rotary rotary = MakeRotary(config, /*tokens=*/5, at::kFloat);
  // 0.65 * 10 = 6.5: 6 features, in 3 pairs.
  REQUIRE(rotary.cosine.sizes() == at::IntArrayRef({5, 1, 3}));
  const at::Tensor x = at::randn({1, 5, 2, 10});
  const at::Tensor y = Rotate(x, rotary);
  for (int64_t t = 0; t < 5; ++t) {
    for (int64_t i = 0; i < 3; ++i) {
      const double angle =
          static_cast<double>(t) * std::pow(10000.0, -2.0 * static_cast<double>(i) / 6.0);
      const double first = x[0][t][1][2 * i].item<double>();
      const double second = x[0][t][1][2 * i + 1].item<double>();
      CHECK(y[0][t][1][2 * i].item<double>() ==
            Approx(first * std::cos(angle) - second * std::sin(angle)).margin(1e-5));
      CHECK(y[0][t][1][2 * i + 1].item<double>() ==
            Approx(first * std::sin(angle) + second * std::cos(angle)).margin(1e-5));
    }
  }
  CHECK(at::equal(y.narrow(-1, 6, 4), x.narrow(-1, 6, 4)));
}

TEST_CASE("Attention does not look ahead") {
  const ModelConfig config{.d_model = 24, .n_layers = 1, .n_heads = 2, .head_dim = 8};
  Parameters parameters(5);
  const Attention attention(config, "attn", &parameters);
  const Rotary rotary = MakeRotary(config, /*tokens=*/9, at::kFloat);
  const at::Tensor c = at::randn({1, 9, 24});
  at::Tensor changed = c.clone();
  changed.narrow(1, 5, 4).normal_();
  const at::Tensor a = attention.Forward(c, rotary);
  const at::Tensor b = attention.Forward(changed, rotary);
  CHECK(at::allclose(a.narrow(1, 0, 5), b.narrow(1, 0, 5), 1e-6, 1e-7));
  CHECK_FALSE(at::allclose(a.narrow(1, 5, 4), b.narrow(1, 5, 4)));
}

}  // namespace
}  // namespace ddl
