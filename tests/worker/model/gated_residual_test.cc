// The facts of the delta update that hold for any weights (ddl.md section 1).
#include "worker/model/gated_residual.h"

#include <string>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

constexpr int64_t kWidth = 7;

// One residual with a chosen beta and v in its attention sublayer, whatever the input.
struct Fixture {
  Fixture(const std::string& kind, int64_t channels, double beta) : parameters(1) {
    ModelConfig config{.d_model = kWidth, .n_layers = 1};
    config.residual = {
        .kind = kind, .value_channels = channels, .k_eps = 1e-12, .v_sigmoid = false};
    residual = MakeResidual(config, &parameters);
    Set("beta.weight", at::zeros({1, kWidth}));
    Set("beta.bias", at::logit(at::full({1}, beta / 2, at::kDouble)).to(at::kFloat));
    v = at::randn({channels});
    Set("v_proj.weight", at::zeros({channels, kWidth}));
    Set("v_proj.bias", v);
    state = at::randn({1, 1, channels, kWidth});
    h = at::randn({1, 1, kWidth});
  }

  void Set(const std::string& name, const at::Tensor& value) {
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : parameters.all()) {
      if (parameter.name == "transformer.h.0.ddl_attn." + name) {
        at::Tensor(parameter.value).copy_(value);
      }
    }
  }
  at::Tensor Rewrite(const at::Tensor& from) const {
    const SublayerValues values{
        .x_in = at::randn({1, 1, kWidth}), .c = at::randn({1, 1, kWidth}), .h = h};
    return residual->Rewrite(from, values, nullptr).detach();
  }
  at::Tensor Along(const at::Tensor& x) const { return Project(Direction(h, 1e-12), x); }

  Parameters parameters;
  std::unique_ptr<Residual> residual;
  at::Tensor v, state, h;
};

double Largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

TEST_CASE("A gate of 0 leaves the state as it is") {
  const Fixture fixture("ddl", 4, 0.0);
  CHECK(at::equal(fixture.Rewrite(fixture.state), fixture.state));
}

TEST_CASE("A gate of 1 makes the state along the direction equal the value") {
  for (const int64_t channels : {1, 4}) {
    const Fixture fixture("ddl", channels, 1.0);
    CHECK(Largest(fixture.Along(fixture.Rewrite(fixture.state)) - fixture.v) < 2e-6);
  }
}

TEST_CASE("The distance to the value along the direction shrinks by 1 - beta") {
  for (const double beta : {0.2, 0.9, 1.7}) {
    const Fixture fixture("ddl", 3, beta);
    const at::Tensor before = fixture.Along(fixture.state) - fixture.v;
    const at::Tensor after = fixture.Along(fixture.Rewrite(fixture.state)) - fixture.v;
    CHECK(Largest(after - (1 - beta) * before) < 2e-6);
  }
}

TEST_CASE("The erasing operator has eigenvalues 1 and 1 - beta, and reflects as beta nears 2") {
  for (const double beta : {0.5, 1.3, 2 - 1e-6}) {
    Fixture fixture("ddl", 1, beta);
    fixture.Set("v_proj.bias", at::zeros({1}));
    at::Tensor matrix = at::zeros({kWidth, kWidth}, at::kDouble);
    const at::Tensor basis = at::eye(kWidth);
    for (int64_t i = 0; i < kWidth; ++i) {
      matrix[i].copy_(fixture.Rewrite(basis[i].view({1, 1, 1, kWidth})).view({kWidth}));
    }
    const at::Tensor values = at::linalg_eigvalsh(matrix);
    CHECK(values[0].item<double>() == Approx(1 - beta).margin(1e-5));
    CHECK(Largest(values.narrow(0, 1, kWidth - 1) - 1) < 1e-5);
    CHECK(at::linalg_det(matrix).item<double>() == Approx(1 - beta).margin(1e-5));
    if (beta > 1.99) {
      CHECK(Largest(at::matmul(matrix, matrix.t()) - at::eye(kWidth, at::kDouble)) < 1e-4);
    }
  }
}

TEST_CASE("Write-only adds the value along the direction and erases nothing") {
  const Fixture fixture("write_only", 4, 0.6);
  const at::Tensor k = Direction(fixture.h, 1e-12);
  const at::Tensor want =
      fixture.state + 0.6 * fixture.v.view({1, 1, 4, 1}) * k.view({1, 1, 1, kWidth});
  CHECK(Largest(fixture.Rewrite(fixture.state) - want) < 2e-6);
}

TEST_CASE("Only what lies along the direction changes") {
  const Fixture fixture("ddl", 4, 1.4);
  const at::Tensor change = fixture.Rewrite(fixture.state) - fixture.state;
  const at::Tensor k = Direction(fixture.h, 1e-12);
  const at::Tensor along = fixture.Along(change).unsqueeze(3) * k.unsqueeze(2);
  CHECK(Largest(change - along) < 2e-6);
}

}  // namespace
}  // namespace ddl
