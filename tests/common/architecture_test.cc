#include "common/architecture.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

// The backbone of the paper's section on experiments.
Architecture Paper(int64_t d, int64_t layers, int64_t heads) {
  Architecture a;
  a.d_model = d;
  a.n_layers = layers;
  a.n_heads = heads;
  a.head_dim = 128;
  a.d_ff = 8 * d / 3;
  a.max_seq_len = 1024;
  a.vocab_size = 50304;
  return a;
}

// The models behind the golden data.
Architecture Golden(ResidualKind kind, int64_t channels, bool embed_conv) {
  Architecture a;
  a.d_model = 48;
  a.n_layers = 2;
  a.n_heads = 3;
  a.head_dim = 16;
  a.d_ff = 128;
  a.max_seq_len = 20;
  a.vocab_size = 97;
  a.residual = kind;
  a.value_channels = channels;
  a.embed_conv = embed_conv;
  a.embed_conv_kernel = 4;
  return a;
}

TEST_CASE("the paper's small and medium models have its numbers of parameters") {
  CHECK(static_cast<double>(ParameterCount(Paper(768, 12, 6))) == Approx(123.6e6).margin(0.05e6));
  CHECK(static_cast<double>(ParameterCount(Paper(1024, 24, 8))) == Approx(353.5e6).margin(0.05e6));
}

// Sums over the shapes of param/* in the files that the authors' code wrote.
TEST_CASE("every residual has as many parameters as the authors' code gives it") {
  CHECK(ParameterCount(Golden(ResidualKind::kAdditive, 1, false)) == 60256);
  CHECK(ParameterCount(Golden(ResidualKind::kDdl, 1, false)) == 60648);
  CHECK(ParameterCount(Golden(ResidualKind::kDdl, 4, false)) == 61824);
  CHECK(ParameterCount(Golden(ResidualKind::kDdl, 4, true)) == 62592);
  CHECK(ParameterCount(Golden(ResidualKind::kWriteOnly, 4, true)) == 62592);
  CHECK(ParameterCount(Golden(ResidualKind::kWriteOnly, 1, false)) == 60648);
}

TEST_CASE(
    "the seed's modules say that they are not the paper's updates, and no other residual does") {
  CHECK_THAT(std::string(ResidualNote(ResidualKind::kSeedDeepDeltaRes)),
             Catch::Contains("not ddl: it multiplies the state"));
  CHECK_THAT(std::string(ResidualNote(ResidualKind::kSeedWriteOnly)),
             Catch::Contains("not write_only: it multiplies the state"));
  for (const ResidualKind kind : {ResidualKind::kAdditive, ResidualKind::kDdl,
                                  ResidualKind::kWriteOnly, ResidualKind::kHyperConnections}) {
    CHECK(ResidualNote(kind).empty());
  }
}

TEST_CASE("a two-layer gate adds its first layer without a bias") {
  Architecture a = Golden(ResidualKind::kDdl, 1, false);
  const uint64_t linear = ParameterCount(a);
  a.beta_hidden = 8;
  // Four gates: W1 is 48 x 8, w2 has 8 numbers and its bias, in place of 48 and the bias.
  CHECK(ParameterCount(a) == linear + 4 * (48 * 8 + 8 - 48));
}

// Multiply-adds counted by running the loops of ddl.md's section 2 over the shapes of one token.
double CountedForward(const Architecture& a) {
  double products = 0;
  const auto loop = [&](int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) products += 1;
    }
  };
  const int64_t width = a.n_heads * a.head_dim;
  const int64_t d = a.d_model;
  const int64_t n = a.value_channels;
  if (a.embed_conv) loop(d * n, a.embed_conv_kernel);
  for (int64_t layer = 0; layer < a.n_layers; ++layer) {
    for (int sublayer = 0; sublayer < 2; ++sublayer) {
      if (n > 1) loop(d, n);  // Compress.
      if (a.residual == ResidualKind::kAdditive) continue;
      if (a.beta_hidden > 0) {
        loop(a.beta_hidden, d);
        loop(1, a.beta_hidden);
      } else {
        loop(1, d);
      }
      loop(n, d);                                        // v.
      if (a.residual == ResidualKind::kDdl) loop(n, d);  // k^T X.
      loop(d, n);                                        // X + beta k (...)^T.
    }
    for (int i = 0; i < 4; ++i) loop(d, width);
    for (int i = 0; i < 3; ++i) loop(d, a.d_ff);
    double attention = 0;  // Over all positions of a sequence, then one token's share.
    for (int64_t query = 0; query < a.max_seq_len; ++query) {
      attention += 2.0 * static_cast<double>((query + 1) * width);
    }
    products += attention / static_cast<double>(a.max_seq_len);
  }
  if (n > 1) loop(d, n);  // Read-out.
  loop(a.vocab_size, d);
  return 2 * products;
}

TEST_CASE("forward operations equal a count by loops, for every residual") {
  for (const ResidualKind kind :
       {ResidualKind::kAdditive, ResidualKind::kDdl, ResidualKind::kWriteOnly}) {
    for (const int64_t channels : {1, 4}) {
      if (kind == ResidualKind::kAdditive && channels > 1) continue;
      for (const int64_t hidden : {0, 8}) {
        Architecture a = Golden(kind, channels, channels > 1);
        a.beta_hidden = hidden;
        CHECK(ForwardFlopsPerToken(a) == Approx(CountedForward(a)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("training costs three forward passes, near 6 operations for each parameter") {
  const Architecture a = Paper(768, 12, 6);
  CHECK(FlopsPerToken(a) == Approx(3 * ForwardFlopsPerToken(a)));
  const double by_parameters = 6 * static_cast<double>(ParameterCount(a));
  const double attention = 6.0 * 12 * 768 * 1025;  // The causal half.
  CHECK(FlopsPerToken(a) == Approx(by_parameters + attention).epsilon(0.001));
}

TEST_CASE("the delta update costs more than the write alone, and both more than a sum") {
  const double additive = FlopsPerToken(Golden(ResidualKind::kAdditive, 1, false));
  const double write = FlopsPerToken(Golden(ResidualKind::kWriteOnly, 1, false));
  const double delta = FlopsPerToken(Golden(ResidualKind::kDdl, 1, false));
  CHECK(additive < write);
  CHECK(write < delta);
}

TEST_CASE("the parts of a model cost what the whole costs") {
  for (const ResidualKind kind :
       {ResidualKind::kAdditive, ResidualKind::kDdl, ResidualKind::kWriteOnly,
        ResidualKind::kSeedDeepDeltaRes, ResidualKind::kHyperConnections}) {
    Architecture a = Paper(768, 12, 6);
    a.residual = kind;
    a.streams = 4;
    a.dynamic = true;
    uint64_t parameters = 0;
    uint64_t bytes = 0;
    double forward = 0;
    double backward = 0;
    for (const PartCost& part : CostByPart(a)) {
      parameters += part.parameters;
      forward += part.forward_flops;
      backward += part.backward_flops;
      bytes += PartMemory(part, 3 * a.max_seq_len).total_bytes;
      CHECK((part.name == "residual" && kind != ResidualKind::kAdditive) ==
            (part.name == "residual" && part.parameters > 0));
    }
    CHECK(parameters == ParameterCount(a));
    CHECK(forward == Approx(ForwardFlopsPerToken(a)));
    CHECK(backward == Approx(BackwardFlopsPerToken(a)));
    CHECK(bytes == EstimateMemory(a, 3).total_bytes);
  }
}

TEST_CASE("hyper-connections have the parameters of their tables and mixes") {
  Architecture a = Paper(64, 3, 2);
  const uint64_t plain = ParameterCount(a);
  a.residual = ResidualKind::kHyperConnections;
  a.streams = 4;
  CHECK(ParameterCount(a) == plain + 6 * (4 * 5 + 4));
  a.dynamic = true;  // W_alpha (64, 5), W_beta (64), a norm (64), two scales.
  CHECK(ParameterCount(a) == plain + 6 * (4 * 5 + 4 + 64 * 5 + 64 + 64 + 2));
}

TEST_CASE("shared key heads and a squared ReLU take what they leave out from the count") {
  Architecture a = Paper(512, 1, 8);
  a.head_dim = 64;
  const uint64_t whole = ParameterCount(a);
  a.n_kv_heads = 4;
  CHECK(ParameterCount(a) == whole - 2 * 512 * 256);
  a.swiglu = false;
  CHECK(ParameterCount(a) == whole - 2 * 512 * 256 - 512 * static_cast<uint64_t>(a.d_ff));
}

TEST_CASE("Muon keeps one number for a weight of a matrix, AdamW two for any") {
  Architecture a = Paper(768, 12, 6);
  const uint64_t adamw = EstimateMemory(a, 1).optimizer_bytes;
  const uint64_t matrices = 12 * (4 * 768 * 768 + 3 * 768 * static_cast<uint64_t>(a.d_ff));
  CHECK(adamw - EstimateMemory(a, 1, true).optimizer_bytes == 4 * matrices);
}

TEST_CASE("memory counts four numbers for each parameter and grows with the micro batch") {
  const Architecture a = Paper(768, 12, 6);
  const MemoryEstimate one = EstimateMemory(a, 1);
  const MemoryEstimate two = EstimateMemory(a, 2);
  CHECK(one.parameter_bytes + one.gradient_bytes + one.optimizer_bytes == 16 * ParameterCount(a));
  CHECK(two.activation_bytes == 2 * one.activation_bytes);
  CHECK(one.total_bytes == 16 * ParameterCount(a) + one.activation_bytes);
  // Two rows of logits alone, for each token.
  CHECK(one.activation_bytes > uint64_t{2} * 50304 * 1024 * 4);
}

}  // namespace
}  // namespace ddl
