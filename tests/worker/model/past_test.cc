// A model that goes on from its past against one that sees the whole sequence at once.
#include "worker/model/past.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/worker/model/sized_models.h"
#include "tests/worker/torch_test.h"
#include "worker/model/gate_trace.h"
#include "worker/model/transformer.h"

namespace ddl {
namespace {

// Initial weights hide what they start at 0 or at the identity.
void Disturb(Transformer* model) {
  const at::NoGradGuard no_grad;
  at::Tensor flat = model->parameters().flat();
  flat.add_(at::randn_like(flat), 0.05);
}

double Difference(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).abs().max() / want.abs().max()).item<double>();
}

TEST_CASE("A model that goes on from its past gives the logits of a full pass, in any pieces") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  at::manual_seed(seed);
  const at::NoGradGuard no_grad;
  for (const SizedModel& variant : SizedModels()) {
    INFO(variant.name);
    Transformer model(variant.config, seed, at::kCPU);
    Disturb(&model);
    const at::Tensor indices = at::randint(variant.config.vocab_size, {2, 17}, at::kLong);
    const at::Tensor whole = model.Logits(indices);
    for (const bool one_by_one : {true, false}) {
      Past past(variant.config);
      std::vector<at::Tensor> pieces;
      for (int64_t at = 0; at < indices.size(1);) {
        const int64_t size = one_by_one ? 1
                                        : std::min<int64_t>(1 + static_cast<int64_t>(random() % 6),
                                                            indices.size(1) - at);
        pieces.push_back(model.Logits(indices.narrow(1, at, size), {.past = &past}));
        at += size;
      }
      CHECK(past.tokens == indices.size(1));
      CHECK(Difference(at::cat(pieces, 1), whole) < 1e-5);
    }
  }
}

TEST_CASE("A trace of gates has beta of every token and sublayer, cached and uncached alike") {
  at::manual_seed(2);
  const at::NoGradGuard no_grad;
  for (const SizedModel& variant : SizedModels()) {
    INFO(variant.name);
    Transformer model(variant.config, 3, at::kCPU);
    if (!model.has_gates()) continue;
    Disturb(&model);
    const at::Tensor indices = at::randint(variant.config.vocab_size, {1, 9}, at::kLong);
    GateTrace whole(variant.config.n_layers);
    model.Logits(indices, {.gates = &whole});
    Past past(variant.config);
    for (int64_t at = 0; at < indices.size(1); ++at) {
      GateTrace piece(variant.config.n_layers);
      model.Logits(indices.narrow(1, at, 1), {.gates = &piece, .past = &past});
      REQUIRE(piece.betas().size() == static_cast<size_t>(variant.config.n_layers * kSublayers));
      for (size_t i = 0; i < piece.betas().size(); ++i) {
        const at::Tensor want = whole.betas()[i].narrow(1, at, 1);
        CHECK(want.item<double>() > 0);
        CHECK(want.item<double>() < 2);
        CHECK(at::allclose(piece.betas()[i], want, 1e-5, 1e-6));
      }
    }
  }
}

TEST_CASE("A window keeps the last tokens that the next piece looks back at, and no more") {
  TokenWindow window(2);
  const at::Tensor tokens = at::arange(6, at::kFloat).view({1, 6, 1});
  CHECK(at::equal(window.Extend(tokens.narrow(1, 0, 1)), tokens.narrow(1, 0, 1)));
  CHECK(at::equal(window.Extend(tokens.narrow(1, 1, 1)), tokens.narrow(1, 0, 2)));
  CHECK(at::equal(window.Extend(tokens.narrow(1, 2, 3)), tokens.narrow(1, 0, 5)));
  CHECK(at::equal(window.Extend(tokens.narrow(1, 5, 1)), tokens.narrow(1, 3, 3)));
  TokenWindow none(0);
  none.Extend(tokens);
  CHECK(at::equal(none.Extend(tokens), tokens));
}

}  // namespace
}  // namespace ddl
