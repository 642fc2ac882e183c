// The facts of the delta update that hold for any weights (ddl.md section 1), in random sizes.
#include "worker/model/gated_residual.h"

#include <random>
#include <string>

#include "tests/worker/model/variants.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

// Rounding of sums of some tens of terms near 1.
double SumBound(at::ScalarType type) { return type == at::kFloat ? 1e-5 : 1e-13; }

double LargestOf(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

// A residual with a chosen beta and v in its attention sublayer, whatever the input; k_eps 0.
class Fixture {
 public:
  Fixture(const std::string& kind, int64_t channels, double beta, at::ScalarType type,
          std::mt19937_64* random)
      : parameters_(1) {
    width_ = std::uniform_int_distribution<int64_t>(2, 40)(*random);
    tokens_ = std::uniform_int_distribution<int64_t>(1, 5)(*random);
    ModelConfig config{.d_model = width_, .n_layers = 1};
    config.residual = {.kind = kind,
                       .value_channels = channels,
                       .compress = channels > 1 ? "channel" : "none",
                       .compress_kernel = channels,
                       .k_eps = 0,
                       .v_sigmoid = false};
    residual_ = MakeResidual(config, &parameters_);
    parameters_.Flatten(at::kCPU, type);
    const at::TensorOptions options(type);
    Set("beta.weight", at::zeros({1, width_}, options));
    Set("beta.bias", at::logit(at::full({1}, beta / 2, at::kDouble)));
    v = at::randn({channels}, options);
    Set("v_proj.weight", at::zeros({channels, width_}, options));
    Set("v_proj.bias", v);
    state = at::randn({2, tokens_, channels, width_}, options);
    h = at::randn({2, tokens_, width_}, options);
  }

  void Set(const std::string& name, const at::Tensor& value) {
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : parameters_.all()) {
      if (parameter.name == "transformer.h.0.ddl_attn." + name) {
        at::Tensor(parameter.value).copy_(value);
      }
    }
  }
  at::Tensor Rewrite(const at::Tensor& from) const {
    const at::Tensor any = at::randn_like(h);
    return residual_->Rewrite(from, {.x_in = any, .c = any, .h = h}, nullptr).detach();
  }
  at::Tensor Along(const at::Tensor& x) const { return Project(Direction(h, 0), x); }
  int64_t width() const { return width_; }

  at::Tensor v, state, h;

 private:
  int64_t width_, tokens_;
  Parameters parameters_;
  std::unique_ptr<Residual> residual_;
};

// Runs `check(fixture, beta, bound)` for both types, one and several channels, and betas.
template <typename Check>
void ForAll(const std::string& kind, std::initializer_list<double> betas, const Check& check) {
  const unsigned seed = std::random_device()();
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  for (const at::ScalarType type : kBothTypes) {
    for (const int64_t channels : {1, 2, 5}) {
      for (const double beta : betas) {
        INFO("seed " << seed << ", channels " << channels << ", beta " << beta);
        const Fixture fixture(kind, channels, beta, type, &random);
        check(fixture, beta, SumBound(type));
      }
    }
  }
}

TEST_CASE("A gate of 0 leaves the state as it is") {
  ForAll("ddl", {0.0}, [](const Fixture& fixture, double, double) {
    CHECK(at::equal(fixture.Rewrite(fixture.state), fixture.state));
  });
}

TEST_CASE("A gate of 1 makes the state along the direction equal the value") {
  ForAll("ddl", {1.0}, [](const Fixture& fixture, double, double bound) {
    CHECK(LargestOf(fixture.Along(fixture.Rewrite(fixture.state)) - fixture.v) < bound);
  });
}

TEST_CASE("The distance to the value along the direction shrinks by 1 - beta") {
  ForAll("ddl", {0.2, 0.9, 1.7}, [](const Fixture& fixture, double beta, double bound) {
    const at::Tensor before = fixture.Along(fixture.state) - fixture.v;
    const at::Tensor after = fixture.Along(fixture.Rewrite(fixture.state)) - fixture.v;
    CHECK(LargestOf(after - (1 - beta) * before) < bound);
  });
}

TEST_CASE("Only what lies along the direction changes") {
  ForAll("ddl", {0.6, 1.4}, [](const Fixture& fixture, double, double bound) {
    const at::Tensor change = fixture.Rewrite(fixture.state) - fixture.state;
    const at::Tensor k = Direction(fixture.h, 0);
    CHECK(LargestOf(change - fixture.Along(change).unsqueeze(3) * k.unsqueeze(2)) < bound);
  });
}

TEST_CASE("Write-only adds the value along the direction and erases nothing") {
  ForAll("write_only", {0.6, 1.5}, [](const Fixture& fixture, double beta, double bound) {
    const at::Tensor k = Direction(fixture.h, 0);
    const at::Tensor added = beta * fixture.v.view({1, 1, -1, 1}) * k.unsqueeze(2);
    CHECK(LargestOf(fixture.Rewrite(fixture.state) - (fixture.state + added)) < bound);
  });
}

TEST_CASE("The erasing operator has eigenvalues 1 and 1 - beta, and reflects as beta nears 2") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  for (const at::ScalarType type : kBothTypes) {
    for (const double beta : {0.5, 1.3, 2 - 1e-6}) {
      Fixture fixture("ddl", 1, beta, type, &random);
      fixture.Set("v_proj.bias", at::zeros({1}));
      const int64_t width = fixture.width();
      // One operator, that of the first token's direction, on every basis vector.
      fixture.h = fixture.h.narrow(0, 0, 1).narrow(1, 0, 1);
      at::Tensor matrix = at::zeros({width, width}, at::kDouble);
      const at::Tensor basis = at::eye(width, type);
      for (int64_t i = 0; i < width; ++i) {
        matrix[i].copy_(fixture.Rewrite(basis[i].view({1, 1, 1, width})).view({width}));
      }
      const double bound = 10 * SumBound(type);
      const at::Tensor values = at::linalg_eigvalsh(matrix);
      CHECK(values[0].item<double>() == Approx(1 - beta).margin(bound));
      CHECK(LargestOf(values.narrow(0, 1, width - 1) - 1) < bound);
      CHECK(at::linalg_det(matrix).item<double>() == Approx(1 - beta).margin(bound));
      if (beta > 1.99) {
        CHECK(LargestOf(at::matmul(matrix, matrix.t()) - at::eye(width, at::kDouble)) < 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace ddl
