// Claims of docs/mathematics.md that speak of several updates, or of their gradient.
#include <cmath>
#include <random>
#include <string>

#include "tests/worker/torch_test.h"
#include "worker/model/delta_parts.h"
#include "worker/model/gated_residual.h"

namespace ddl {
namespace {

constexpr int64_t kWidth = 6;
constexpr double kTolerance = 3e-6;

// One update of a scalar state by the real residual, with chosen direction, value and gate.
at::Tensor Update(const at::Tensor& state, const at::Tensor& k, double value, double beta) {
  Parameters parameters(1);
  ModelConfig config{.d_model = kWidth, .n_layers = 1};
  config.residual = {.kind = "ddl", .value_channels = 1, .k_eps = 1e-12, .v_sigmoid = false};
  const auto residual = MakeResidual(config, &parameters);
  const at::NoGradGuard no_grad;
  const std::string prefix = "transformer.h.0.ddl_attn.";
  for (const Parameter& parameter : parameters.all()) {
    at::Tensor weight = parameter.value;
    if (parameter.name == prefix + "beta.weight" || parameter.name == prefix + "v_proj.weight") {
      weight.zero_();
    } else if (parameter.name == prefix + "beta.bias") {
      weight.fill_(std::log(beta / (2 - beta)));
    } else if (parameter.name == prefix + "v_proj.bias") {
      weight.fill_(value);
    }
  }
  const at::Tensor zeros = at::zeros({1, 1, kWidth});
  const SublayerValues values{.x_in = zeros, .c = zeros, .h = k.view({1, 1, kWidth})};
  return residual->Rewrite(state.view({1, 1, 1, kWidth}), values, nullptr).view({kWidth});
}

at::Tensor Unit(const at::Tensor& vector) { return vector / vector.norm(); }

at::Tensor Operator(const at::Tensor& k, double beta) {
  return at::eye(kWidth) - beta * at::outer(k, k);
}

double Largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

TEST_CASE("Two updates are the product of their operators and the writes that it carries on") {
  const at::Tensor k1 = Unit(at::randn({kWidth}));
  const at::Tensor k2 = Unit(at::randn({kWidth}));
  const at::Tensor state = at::randn({kWidth});
  const at::Tensor got = Update(Update(state, k1, 0.7, 1.3), k2, -1.1, 0.4);
  const at::Tensor a1 = Operator(k1, 1.3);
  const at::Tensor a2 = Operator(k2, 0.4);
  const at::Tensor want = a2.matmul(a1).matmul(state) + 1.3 * 0.7 * a2.matmul(k1) - 0.4 * 1.1 * k2;
  INFO(got << want);
  CHECK(Largest(got - want) < kTolerance);
  CHECK(at::linalg_det(a2.matmul(a1)).item<double>() == Approx((1 - 1.3) * (1 - 0.4)).margin(1e-5));
}

TEST_CASE("Updates along directions at right angles commute") {
  const at::Tensor k1 = Unit(at::randn({kWidth}));
  const at::Tensor across = at::randn({kWidth});
  const at::Tensor k2 = Unit(across - k1 * k1.dot(across));
  const at::Tensor state = at::randn({kWidth});
  const at::Tensor first = Update(Update(state, k1, 0.7, 1.0), k2, -1.1, 1.6);
  CHECK(Largest(first - Update(Update(state, k2, -1.1, 1.6), k1, 0.7, 1.0)) < kTolerance);
  CHECK(k1.dot(first).item<double>() == Approx(0.7).margin(1e-5));
}

TEST_CASE("Two reflections turn the state by twice the angle between their directions") {
  constexpr double kNearlyTwo = 2 - 1e-6;
  constexpr double kAngle = 0.4;
  const at::Tensor k1 = Unit(at::randn({kWidth}));
  const at::Tensor across = at::randn({kWidth});
  const at::Tensor right = Unit(across - k1 * k1.dot(across));
  const at::Tensor k2 = std::cos(kAngle) * k1 + std::sin(kAngle) * right;
  const at::Tensor outside = at::randn({kWidth});
  const at::Tensor fixed = outside - k1 * k1.dot(outside) - right * right.dot(outside);
  const auto turned = [&](const at::Tensor& state) {
    return Update(Update(state, k1, 0, kNearlyTwo), k2, 0, kNearlyTwo);
  };
  const at::Tensor want = std::cos(2 * kAngle) * k1 + std::sin(2 * kAngle) * right;
  CHECK(Largest(turned(k1) - want) < 1e-5);
  CHECK(Largest(turned(fixed) - fixed) < 1e-5);
}

// The inputs of one boundary in float64: n channels of a state, h, v and beta.
struct Boundary {
  Boundary(uint64_t seed, int64_t width, int64_t channels) {
    const auto options = at::TensorOptions().dtype(at::kDouble);
    at::manual_seed(seed);
    h = at::randn({1, 1, width}, options).requires_grad_();
    state = at::randn({1, 1, channels, width}, options).requires_grad_();
    v = at::randn({1, 1, channels}, options).requires_grad_();
    beta = (2 * at::rand({1, 1, 1}, options)).requires_grad_();
    loss_gradient = at::randn({1, 1, channels, width}, options);
  }
  at::Tensor h, state, v, beta, loss_gradient;
};

TEST_CASE(
    "The gradient of a boundary is the closed form, also with the output in place of the input") {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  for (const double eps : {1e-5, 0.5, 3.0}) {
    const int64_t width = 2 + static_cast<int64_t>(random() % 9);
    const int64_t channels = 1 + static_cast<int64_t>(random() % 5);
    INFO("seed " << seed << ", d " << width << ", n " << channels << ", k_eps " << eps);
    const Boundary at(random(), width, channels);
    const at::Tensor direction = Direction(at.h, eps);
    const at::Tensor distance = at.v - Project(direction, at.state);
    const at::Tensor after =
        at.state + at.beta.unsqueeze(2) * direction.unsqueeze(2) * distance.unsqueeze(3);
    (after * at.loss_gradient).sum().backward();

    const at::NoGradGuard no_grad;
    const at::Tensor k = direction.view({width});
    const at::Tensor d_after = at.loss_gradient.view({channels, width});
    const at::Tensor gap = distance.view({channels});
    const at::Tensor y = after.view({channels, width});
    const double beta = at.beta.item<double>();
    const at::Tensor q = d_after.matmul(k);
    CHECK(Largest(at.state.grad().view({channels, width}) - (d_after - beta * at::outer(q, k))) <
          1e-12);
    CHECK(Largest(at.v.grad().view({channels}) - beta * q) < 1e-12);
    CHECK(at.beta.grad().item<double>() == Approx(q.dot(gap).item<double>()).epsilon(1e-10));
    const at::Tensor dk = beta * (gap.matmul(d_after) - q.matmul(y));
    const at::Tensor along = beta * (q * (2 * gap - at.v.view({channels}) - beta * gap)).sum();
    const double length = std::sqrt(at.h.square().sum().item<double>() + eps * eps);
    CHECK(Largest(at.h.grad().view({width}) - (dk - k * along) / length) < 1e-11);
  }
}

}  // namespace
}  // namespace ddl
