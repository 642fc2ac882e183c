// What holds for every form of a model, whatever its weights.
#include <ATen/Parallel.h>

#include <algorithm>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/worker/model/variants.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

double ModelBound(at::ScalarType type) { return type == at::kFloat ? 2e-4 : 1e-11; }

// max|a - b| over max(1, max|b|).
double RelativeDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>() / std::max(1.0, b.abs().max().item<double>());
}

struct Seeds {
  explicit Seeds(unsigned seed) : random(seed) {
    at::manual_seed(seed);
    at::set_num_threads(1);  // Tensors this small are slower on more.
  }
  std::mt19937_64 random;
};

TEST_CASE("No form of a model lets a token change an earlier output") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Seeds seeds(seed);
  for (const Form& form : AllForms(&seeds.random)) {
    for (const at::ScalarType type : kBothTypes) {
      INFO(form.name);
      const at::NoGradGuard no_grad;
      const Transformer model = RandomModel(form.model, type);
      const int64_t vocabulary = form.model.vocab_size;
      const at::Tensor tokens = at::randint(vocabulary, {2, 9}, at::kLong);
      const at::Tensor before = model.Logits(tokens);
      bool noticed = false;
      for (const int64_t place : {0, 4, 8}) {
        at::Tensor changed = tokens.clone();
        changed.select(1, place).add_(1).remainder_(vocabulary);
        const at::Tensor after = model.Logits(changed);
        CHECK(at::equal(after.narrow(1, 0, place), before.narrow(1, 0, place)));
        noticed = noticed || !at::equal(after.select(1, place), before.select(1, place));
      }
      // Not everywhere: the seed's module leaves nothing of a token whose squared ReLU is all 0.
      CHECK(noticed);
    }
  }
}

TEST_CASE("A batch gives what its sequences give one by one") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Seeds seeds(seed);
  for (const Form& form : AllForms(&seeds.random)) {
    for (const at::ScalarType type : kBothTypes) {
      INFO(form.name);
      const at::NoGradGuard no_grad;
      const Transformer model = RandomModel(form.model, type);
      const at::Tensor tokens = at::randint(form.model.vocab_size, {3, 7}, at::kLong);
      const at::Tensor all = model.Logits(tokens);
      for (int64_t i = 0; i < 3; ++i) {
        CHECK(RelativeDifference(model.Logits(tokens.narrow(0, i, 1)), all.narrow(0, i, 1)) <
              ModelBound(type));
      }
    }
  }
}

// The paper's backbone in random sizes, for comparing models that should be equal.
ModelConfig PaperBackbone(int64_t heads, std::mt19937_64* random) {
  const auto draw = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(*random);
  };
  return {.d_model = draw(6, 16),
          .n_layers = draw(1, 3),
          .n_heads = heads,
          .head_dim = draw(2, 7),
          .d_ff = draw(5, 20),
          .vocab_size = draw(7, 20)};
}

// Checks that two models give the same logits for random tokens of the first one's vocabulary.
void CheckSameLogits(const Transformer& a, const Transformer& b, at::ScalarType type) {
  const at::Tensor tokens = at::randint(a.config().vocab_size, {2, 8}, at::kLong);
  CHECK(RelativeDifference(a.Logits(tokens), b.Logits(tokens)) < ModelBound(type));
}

// Sets every weight of `to` that is not about keys and values to that of `from`.
void CopyShared(const Transformer& from, const Transformer& to) {
  for (const Parameter& parameter : to.parameters().all()) {
    const at::Tensor value = WeightOf(from.parameters(), parameter.name);
    if (value.sizes() == parameter.value.sizes()) at::Tensor(parameter.value).copy_(value);
  }
}

TEST_CASE("Groups of query heads see what they would with copies of their keys and values") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Seeds seeds(seed);
  for (const at::ScalarType type : kBothTypes) {
    for (const int64_t groups : {1, 2, 3, 6}) {
      const at::NoGradGuard no_grad;
      ModelConfig config = PaperBackbone(6, &seeds.random);
      config.n_kv_heads = groups;
      config.residual.kind = "additive";
      const Transformer grouped = RandomModel(config, type);
      config.n_kv_heads = 6;
      const Transformer full = RandomModel(config, type);
      CopyShared(grouped, full);
      for (int64_t layer = 0; layer < config.n_layers; ++layer) {
        for (const char* which : {"c_k", "c_v"}) {
          const std::string name =
              absl::StrCat("transformer.h.", layer, ".attn.", which, ".weight");
          const at::Tensor few = WeightOf(grouped.parameters(), name);
          const at::Tensor all =
              few.view({groups, config.head_dim, config.d_model}).repeat_interleave(6 / groups, 0);
          WeightOf(full.parameters(), name).copy_(all.view({-1, config.d_model}));
        }
      }
      CheckSameLogits(grouped, full, type);
    }
  }
}

TEST_CASE("A compressor over one channel that reads it as it is gives the scalar state") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Seeds seeds(seed);
  for (const at::ScalarType type : kBothTypes) {
    for (const std::string kind : {"ddl", "write_only"}) {
      for (const std::string compress : {"channel", "token"}) {
        const at::NoGradGuard no_grad;
        ModelConfig config = PaperBackbone(2, &seeds.random);
        config.residual = {.kind = kind, .compress = compress, .compress_kernel = 1};
        const Transformer channel = RandomModel(config, type);
        for (const Parameter& parameter : channel.parameters().all()) {
          const bool compressor = absl::StrContains(parameter.name, "compress.") ||
                                  absl::StrContains(parameter.name, "readout.");
          if (compressor) at::Tensor(parameter.value).fill_(1.0);
        }
        config.residual.compress = "none";
        const Transformer scalar = RandomModel(config, type);
        CopyShared(channel, scalar);
        CheckSameLogits(channel, scalar, type);
      }
    }
  }
}

TEST_CASE("The seed's module differs from the paper's update with the same weights") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Seeds seeds(seed);
  const at::NoGradGuard no_grad;
  ModelConfig config = PaperBackbone(2, &seeds.random);
  config.residual.beta_hidden = 4;
  const Transformer paper = RandomModel(config, at::kDouble);
  config.residual.kind = "seed_deepdeltares";
  const Transformer seeds_own = RandomModel(config, at::kDouble);
  CopyShared(paper, seeds_own);
  const at::Tensor tokens = at::randint(config.vocab_size, {2, 8}, at::kLong);
  CHECK(RelativeDifference(seeds_own.Logits(tokens), paper.Logits(tokens)) > 0.1);
}

}  // namespace
}  // namespace ddl
