// What metadata say of a model; golden_verb_test.cc has the refusals of whole files.
#include "worker/train/golden/golden_model.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/places.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

std::string Own(const std::string& name) {
  return SourcePath("tests/golden/own/" + name + ".safetensors");
}

struct Changed {
  std::string key, value, rule;
};

void CheckRefused(const std::string& name, const std::vector<Changed>& changes) {
  const absl::StatusOr<GoldenFile> file = ReadGoldenFile(Own(name));
  REQUIRE(file.ok());
  REQUIRE(GoldenModel(*file).ok());
  for (const Changed& change : changes) {
    GoldenFile bad = *file;
    bad.metadata[change.key] = change.value;
    const absl::StatusOr<ModelConfig> model = GoldenModel(bad);
    INFO(change.key << " " << change.value << ": " << model.status());
    REQUIRE(absl::IsInvalidArgument(model.status()));
    CHECK(absl::StrContains(model.status().message(), change.rule));
  }
}

TEST_CASE("Metadata of the paper's backbone that make no model are refused by name and rule") {
  CheckRefused(
      "ccec_wo",
      {{"variant", "cc_ec", "variant \"cc_ec\" is not one of base"},
       {"variant", "hc_static_wo", "variant \"hc_static_wo\" is not one of"},
       {"variant", "hc_static", "metadata has no key hc_streams"},
       {"ddl_value_channels", "0", "ddl_value_channels must be a whole number from 1"},
       {"ddl_value_channels", "1", "kernel_size must be at most ddl_value_channels"},
       {"ddl_state_shortconv_kernel_size", "4", "must be at most ddl_value_channels for a channel"},
       {"ddl_state_shortconv_kernel_size", "2.5", "must be a whole number"},
       {"ddl_k_eps", "0", "ddl_k_eps must be above 0"},
       {"ddl_k_eps", "nan", "ddl_k_eps must be a number"},
       {"ddl_v_sigmoid", "true", "ddl_v_sigmoid must be True or False, got \"true\""},
       {"ddl_v_constant", "True", "ddl_v_constant must be False"},
       {"ddl_v_input", "x", "ddl_v_input must be x_in or c"},
       {"rope_ratio", "1.5", "rope_ratio must be from 0 to 1, got 1.5"},
       {"num_key_value_heads", "3",
        "must be divisible by that of key and value heads, got 2 for 3"},
       {"num_hidden_layers", "60000", "metadata asks for 60000 blocks"},
       {"ddl_value_channels", "65536", "metadata asks for a model of"},
       {"hidden_size", "65536", "transformer.wte.weight must have shape [41,65536], got [41,20]"},
       {"vocab_size", "40", "transformer.wte.weight must have shape [40,20], got [41,20]"},
       {"head_dim", "4", "c_q.weight must have shape [8,20], got [16,20]"}});
}

TEST_CASE("Metadata of the seed's backbone that make no model are refused by name and rule") {
  CheckRefused("seed_deepdeltares_wo",
               {{"n_heads", "5", "d_model must be divisible by n_heads, got 24 for 5"},
                {"n_kv_heads", "3", "must be divisible by that of key and value heads"},
                {"n_kv_heads", "4", "qkvo_proj must have shape [96,24], got [72,24]"},
                {"d_ff", "41", "up_proj.weight must have shape [41,24], got [40,24]"},
                {"rope", "pairs", "rope must be half_split or interleaved, got \"pairs\""},
                {"k_eps", "-1", "k_eps must be above 0"},
                {"beta_dim", "-1", "beta_dim must be a whole number"}});
}

TEST_CASE("Keys that are left out mean the backbone's own form") {
  const absl::StatusOr<GoldenFile> seed = ReadGoldenFile(Own("seed_additive_mqa"));
  REQUIRE(seed.ok());
  const absl::StatusOr<ModelConfig> model = GoldenModel(*seed);
  REQUIRE(model.ok());
  CHECK(model->squared_relu);
  CHECK(model->qk_norm_first);
  CHECK(model->norm_eps == 0x1p-23);
  CHECK(model->embed_scale == Approx(std::sqrt(30.0)));
  const absl::StatusOr<GoldenFile> odd = ReadGoldenFile(Own("ccec_odd_heads"));
  REQUIRE(odd.ok());
  CHECK(GoldenModel(*odd)->logit_scale == Approx(64.0 / 20));
  CHECK_FALSE(GoldenModel(*odd)->squared_relu);
}

}  // namespace
}  // namespace ddl
