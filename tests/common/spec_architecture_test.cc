#include "common/spec_architecture.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

// Every number is another, so that none can stand in another's place.
v1::ExperimentSpec Spec(const std::string& kind, uint32_t channels) {
  v1::ExperimentSpec spec;
  v1::ModelSpec& model = *spec.mutable_model();
  model.set_d_model(48);
  model.set_n_layers(2);
  model.set_n_heads(3);
  model.set_head_dim(16);
  model.set_d_ff(128);
  model.set_max_seq_len(20);
  model.set_vocab_size(97);
  model.set_qk_norm(true);
  v1::ResidualSpec& residual = *model.mutable_residual();
  residual.set_kind(kind);
  residual.set_value_channels(channels);
  residual.set_embed_conv(true);
  residual.set_embed_conv_kernel(5);
  residual.set_beta_hidden(7);
  return spec;
}

TEST_CASE("A spec's shapes are those of its model, each in its place") {
  const Architecture a = ArchitectureOf(Spec("ddl", 4));
  CHECK(a.d_model == 48);
  CHECK(a.n_layers == 2);
  CHECK(a.n_heads == 3);
  CHECK(a.head_dim == 16);
  CHECK(a.d_ff == 128);
  CHECK(a.max_seq_len == 20);
  CHECK(a.vocab_size == 97);
  CHECK(a.qk_norm);
  CHECK(a.residual == ResidualKind::kDdl);
  CHECK(a.value_channels == 4);
  CHECK(a.embed_conv);
  CHECK(a.embed_conv_kernel == 5);
  CHECK(a.beta_hidden == 7);
}

TEST_CASE("One value channel has no embedding convolution, and plain addition no channels") {
  const Architecture one = ArchitectureOf(Spec("write_only", 1));
  CHECK(one.residual == ResidualKind::kWriteOnly);
  CHECK(one.value_channels == 1);
  CHECK_FALSE(one.embed_conv);
  const Architecture additive = ArchitectureOf(Spec("additive", 4));
  CHECK(additive.residual == ResidualKind::kAdditive);
  CHECK(additive.value_channels == 1);
  CHECK_FALSE(additive.embed_conv);
}

}  // namespace
}  // namespace ddl
