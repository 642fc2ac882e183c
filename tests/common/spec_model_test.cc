#include "common/spec_model.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/spec_rules.h"

namespace ddl {
namespace {

v1::ExperimentSpec ResolvedSpec(const v1::ModelSpec& model) {
  v1::ExperimentSpec spec;
  spec.mutable_data()->set_path("text");
  *spec.mutable_model() = model;
  const auto resolved = ResolveSpec(spec);
  INFO(resolved.status());
  REQUIRE(resolved.ok());
  return *resolved;
}

v1::ModelSpec Resolved(const v1::ModelSpec& model) { return ResolvedSpec(model).model(); }

TEST_CASE("the seed's backbone is what its own model is") {
  v1::ModelSpec model;
  model.set_arch("seed");
  model.set_d_model(512);
  model.set_n_layers(22);
  model.set_n_heads(8);
  model.set_n_kv_heads(4);
  model.set_max_seq_len(2048);
  model.set_vocab_size(49152);
  model.mutable_residual()->set_kind("additive");
  const v1::ModelSpec seed = Resolved(model);
  CHECK(seed.d_ff() == 2048);
  CHECK(seed.mlp() == "squared_relu");
  CHECK(seed.qk_norm_position() == "before_rope");
  CHECK(seed.rope_pairs() == "interleaved");
  CHECK(seed.embed_scale() == Approx(22.627417));
  CHECK(seed.norm_eps() == 1.1920928955078125e-07);
  // About 88 million: by the shapes of ddl.md section 4.
  const uint64_t block = (512 + 2 * 256 + 512) * 512 + 2 * 512 * 2048 + 2 * 512 + 2 * 64;
  CHECK(ParameterCount(ArchitectureOf(ResolvedSpec(model).model())) ==
        uint64_t{49152} * 512 + 22 * block + 512);
}

TEST_CASE("the paper's backbone keeps its form, and a switch that is set is kept on either") {
  v1::ModelSpec model;
  const v1::ModelSpec paper = Resolved(model);
  CHECK(paper.d_ff() == 2048);
  CHECK(paper.mlp() == "swiglu");
  CHECK(paper.n_kv_heads() == paper.n_heads());
  CHECK(paper.qk_norm_position() == "after_rope");
  CHECK(paper.rope_pairs() == "half_split");
  CHECK(paper.embed_scale() == 1);
  CHECK(paper.norm_eps() == 1e-5);
  model.set_mlp("squared_relu");
  model.set_rope_pairs("interleaved");
  CHECK(Resolved(model).d_ff() == 3072);
  CHECK(Resolved(model).rope_pairs() == "interleaved");
  CHECK(Resolved(model).qk_norm_position() == "after_rope");
}

TEST_CASE("a residual's computed keys follow from its kind and compressor") {
  v1::ModelSpec model;
  v1::ResidualSpec& residual = *model.mutable_residual();
  residual.set_value_channels(8);
  CHECK(Resolved(model).residual().compress_kernel() == 8);
  residual.set_compress("token");
  CHECK(Resolved(model).residual().compress_kernel() == 4);
  residual.Clear();
  CHECK(Resolved(model).residual().compress_kernel() == 1);
  CHECK(Resolved(model).residual().beta_hidden() == 0);
  CHECK(Resolved(model).residual().k_eps() == 1e-5);
  residual.set_kind("seed_deepdeltares");
  CHECK(Resolved(model).residual().beta_hidden() == 128);
  CHECK(Resolved(model).residual().k_eps() == 1e-6);
}

TEST_CASE("each kind has its own shapes") {
  v1::ModelSpec model;
  v1::ResidualSpec& residual = *model.mutable_residual();
  residual.set_kind("hyper_connections");
  residual.set_streams(3);
  const Architecture hyper = ArchitectureOf(ResolvedSpec(model).model());
  CHECK(hyper.residual == ResidualKind::kHyperConnections);
  CHECK(hyper.streams == 3);
  CHECK(hyper.dynamic);
  CHECK(hyper.value_channels == 1);
  residual.Clear();
  residual.set_kind("write_only");
  residual.set_value_channels(4);
  residual.set_compress("token");
  residual.set_compress_kernel(7);
  const Architecture token = ArchitectureOf(ResolvedSpec(model).model());
  CHECK(token.residual == ResidualKind::kWriteOnly);
  CHECK(token.token_compress);
  CHECK(token.compress_kernel == 7);
  CHECK(token.embed_conv);
}

}  // namespace
}  // namespace ddl
