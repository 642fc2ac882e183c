#include "worker/optim/muon.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/worker/model/golden.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

// |a - b| / |b| in the Frobenius norm.
double NormError(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).norm() / want.norm()).item<double>();
}

TEST_CASE("Muon's orthogonalisation and three of its steps are the reference's") {
  const std::optional<Golden> golden = ReadGolden("muon_polar_express");
  REQUIRE(golden);
  const MuonConfig config{.momentum = std::stod(golden->metadata.at("momentum")),
                          .nesterov = golden->metadata.at("nesterov") == "True",
                          .polar_steps = std::stoll(golden->metadata.at("steps"))};
  const double rate = std::stod(golden->metadata.at("lr"));
  for (int matrix = 0; matrix < 4; ++matrix) {
    INFO("matrix " << matrix);
    const auto tensor = [&](const std::string& name) { return (*golden)[name]; };
    const at::Tensor polar = PolarExpress(tensor(absl::StrCat("in/", matrix)), config.polar_steps);
    CHECK(NormError(polar, tensor(absl::StrCat("polar_bf16/", matrix))) < 5e-2);
    at::Tensor weight = tensor(absl::StrCat("param0/", matrix)).clone();
    const at::Tensor momentum = at::zeros_like(weight);
    for (int step = 0; step < 3; ++step) {
      const at::Tensor before = weight.clone();
      MuonStep(config, rate, tensor(absl::StrCat("grad/", matrix, "/", step)), momentum, weight);
      const at::Tensor want = tensor(absl::StrCat("param", step + 1, "/", matrix)) -
                              tensor(absl::StrCat("param", step, "/", matrix));
      CHECK(NormError(weight - before, want) < 5e-2);
    }
  }
}

TEST_CASE(
    "What Muon steps along has singular values near 1 and the singular vectors of its input") {
  const unsigned seed = std::random_device()();
  std::mt19937_64 random(seed);
  at::manual_seed(seed);
  const auto size = [&] { return std::uniform_int_distribution<int64_t>(2, 100)(random); };
  const int64_t square = size();
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{square, square},
                                      {size(), size()},
                                      {size(), size()},
                                      {1, size()},
                                      {size(), 1}}) {
    INFO("seed " << seed << ", " << rows << " x " << columns);
    const int64_t rank = std::min(rows, columns);
    const at::Tensor u = std::get<0>(at::linalg_qr(at::randn({rows, rank}, at::kDouble)));
    const at::Tensor v = std::get<0>(at::linalg_qr(at::randn({columns, rank}, at::kDouble)));
    const at::Tensor matrix = at::mm(u * at::linspace(3.0, 0.3, rank, at::kDouble), v.t());
    const at::Tensor polar = PolarExpress(matrix.to(at::kFloat)).to(at::kDouble);
    const at::Tensor values = at::linalg_svdvals(polar);
    CHECK(values.min().item<double>() > 0.7);
    CHECK(values.max().item<double>() < 1.3);
    // U^T polar V is diagonal, for U and V of the input.
    const at::Tensor inner = at::mm(at::mm(u.t(), polar), v);
    const at::Tensor off = inner - at::diag(inner.diagonal());
    CHECK((off.norm() / inner.norm()).item<double>() < 0.1);
    CHECK(inner.diagonal().min().item<double>() > 0);
  }
}

TEST_CASE("A tall matrix moves by sqrt(rows / columns) more than its transpose") {
  at::manual_seed(3);
  const at::Tensor gradient = at::randn({128, 32});
  at::Tensor tall = at::zeros({128, 32});
  at::Tensor wide = at::zeros({32, 128});
  MuonStep({}, 0.1, gradient, at::zeros_like(tall), tall);
  MuonStep({}, 0.1, gradient.t().contiguous(), at::zeros_like(wide), wide);
  CHECK(NormError(tall, 2.0 * wide.t()) < 1e-6);
}

TEST_CASE("Without Nesterov Muon steps along the momentum, and a zero gradient moves nothing") {
  at::manual_seed(5);
  const at::Tensor first = at::randn({16, 16});
  const at::Tensor second = at::randn({16, 16});
  at::Tensor weight = at::zeros({16, 16});
  const at::Tensor momentum = at::zeros({16, 16});
  const MuonConfig config{.momentum = 0.9, .nesterov = false};
  MuonStep(config, 1.0, first, momentum, weight);
  weight.zero_();
  MuonStep(config, 1.0, second, momentum, weight);
  CHECK(NormError(momentum, 0.09 * first + 0.1 * second) < 1e-5);
  CHECK(NormError(-weight, PolarExpress(0.09 * first + 0.1 * second)) < 0.05);
  at::Tensor still = at::ones({4, 8});
  MuonStep({}, 1.0, at::zeros({4, 8}), at::zeros({4, 8}), still);
  CHECK(at::equal(still, at::ones({4, 8})));
}

TEST_CASE("Muon refuses what is no matrix, naming it and its shape") {
  CHECK(CheckMuonShape("w", {3, 4}).ok());
  const absl::Status vector = CheckMuonShape("transformer.h.0.ln_1.weight", {48});
  CHECK(vector.message() ==
        "Muon takes matrices alone: transformer.h.0.ln_1.weight must have 2 axes, got shape [48]");
  CHECK_FALSE(CheckMuonShape("w", {2, 3, 4}).ok());
  CHECK_FALSE(CheckMuonShape("w", {0, 4}).ok());
  CHECK_FALSE(CheckMuonShape("w", {}).ok());
}

}  // namespace
}  // namespace ddl
