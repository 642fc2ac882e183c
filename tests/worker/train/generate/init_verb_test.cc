#include "worker/train/generate/init_verb.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/files.h"
#include "common/safetensors.h"
#include "tests/common/scratch_folder.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

constexpr int64_t kWidth = 96;
constexpr int64_t kLayers = 3;

std::string ModelFile(const ScratchFolder& folder, const std::string& more = "") {
  const std::string path = folder / "model.yaml";
  Spit(path, "d_model: 96\nn_layers: 3\nn_heads: 4\nd_ff: 256\nvocab_size: 300\n" + more);
  return path;
}

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
  double Mean() const {
    double sum = 0;
    for (const float value : values) sum += value;
    return sum / static_cast<double>(values.size());
  }
  double Deviation() const {
    const double mean = Mean();
    double sum = 0;
    for (const float value : values) sum += (value - mean) * (value - mean);
    return std::sqrt(sum / static_cast<double>(values.size()));
  }
};

std::map<std::string, Tensor> Init(const ScratchFolder& folder, const std::string& model,
                                   const std::string& residual, const std::string& seed) {
  const std::string path = folder / "init.safetensors";
  std::ostringstream out;
  std::ostringstream error;
  const int code = InitVerb(
      {"--model", model, "--residual", residual, "--seed", seed, "--out", path}, out, error);
  INFO(error.str());
  REQUIRE(code == 0);
  std::map<std::string, Tensor> tensors;
  const auto file = SafetensorsFile::Open(path);
  REQUIRE(file.ok());
  for (const TensorView& view : file->tensors()) {
    REQUIRE(view.type == TensorType::kF32);
    Tensor& tensor = tensors[view.name];
    tensor.shape = view.shape;
    tensor.values.resize(view.bytes.size() / sizeof(float));
    std::memcpy(tensor.values.data(), view.bytes.data(), view.bytes.size());
  }
  return tensors;
}

enum class Start { kEmbedding, kHidden, kOutput, kConstant };
struct Rule {
  const char* part;  // Of the name.
  Start start;
  double constant = 0;
};
// How each weight starts (ddl.md sections 2 to 4), of both backbones: the first rule whose part a
// name contains. What has several values at first is in the test behind.
constexpr std::array kRules = {Rule{"wte", Start::kEmbedding},
                               Rule{"token_embedding", Start::kEmbedding},
                               Rule{".c_proj.weight", Start::kOutput},
                               Rule{".down_proj.weight", Start::kOutput},
                               Rule{".attn.c_", Start::kHidden},
                               Rule{".mlp.c_fc", Start::kHidden},
                               Rule{".gate_proj.weight", Start::kHidden},
                               Rule{".up_proj.weight", Start::kHidden},
                               Rule{".v_proj.weight", Start::kHidden},
                               Rule{".beta.weight", Start::kHidden},
                               Rule{".beta_in.weight", Start::kHidden},
                               Rule{".beta_out.weight", Start::kHidden},
                               Rule{"norm", Start::kConstant, 1},
                               Rule{"ln_", Start::kConstant, 1},
                               Rule{"_rms.weight", Start::kConstant, 1},
                               Rule{".bias", Start::kConstant, 0},  // beta_init 1: logit(1/2).
                               Rule{".read", Start::kConstant, 0.25},
                               Rule{"compress.weight", Start::kConstant, 0.25},
                               Rule{"readout.weight", Start::kConstant, 0.25},
                               Rule{".dynamic_", Start::kConstant, 0},
                               Rule{"alpha_scale", Start::kConstant, 0.01},
                               Rule{"beta_scale", Start::kConstant, 0.01},
                               Rule{".static_beta", Start::kConstant, 1}};

double DeviationOf(Start start, double streams) {
  const double hidden = 0.5 / std::sqrt(static_cast<double>(kWidth));
  switch (start) {
    case Start::kEmbedding: return 0.02;
    case Start::kHidden: return hidden;
    case Start::kOutput: return hidden / std::sqrt(kLayers * streams);
    case Start::kConstant: break;
  }
  return 0;
}

void CheckStart(const Tensor& tensor, double mean, double deviation) {
  // Five standard errors of a sample of this size, and the rounding of a constant.
  const double count = static_cast<double>(tensor.values.size());
  CHECK(std::abs(tensor.Mean() - mean) <= 5 * deviation / std::sqrt(count) + 1e-8);
  CHECK(std::abs(tensor.Deviation() - deviation) <= 5 * deviation / std::sqrt(2 * count) + 1e-8);
}

// Rows of queries, keys and values, then those of the output.
void CheckStacked(const Tensor& stacked, double streams) {
  REQUIRE(stacked.shape == std::vector<int64_t>{3 * kWidth + kWidth, kWidth});
  const auto border = stacked.values.begin() + 3 * kWidth * kWidth;
  CheckStart({{}, {stacked.values.begin(), border}}, 0, DeviationOf(Start::kHidden, streams));
  CheckStart({{}, {border, stacked.values.end()}}, 0, DeviationOf(Start::kOutput, streams));
}

// Taps that begin as the identity: the last is 1, the others are 0.
void CheckIdentity(const Tensor& taps) {
  const auto count = static_cast<size_t>(taps.shape.back());
  for (size_t i = 0; i < taps.values.size(); ++i) {
    if (taps.values[i] != (i % count + 1 == count ? 1 : 0)) FAIL("number " << i);
  }
}

void CheckWeight(const std::string& name, const Tensor& tensor, double streams) {
  INFO(name);
  if (absl::EndsWith(name, "qkvo_proj")) return CheckStacked(tensor, streams);
  if (absl::StrContains(name, "conv.weight")) return CheckIdentity(tensor);
  if (absl::StrContains(name, "static_alpha")) return;
  const auto* const rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& any) {
    return absl::StrContains(name, any.part);
  });
  REQUIRE(rule != kRules.end());
  CheckStart(tensor, rule->constant, DeviationOf(rule->start, streams));
}

TEST_CASE("Every tensor of every residual on both backbones starts as ddl.md says") {
  const ScratchFolder folder;
  for (const char* arch : {"", "arch: seed\n"}) {
    const std::string model = ModelFile(folder, arch);
    for (const auto& [residual, streams] : {std::pair<const char*, double>{"additive", 1},
                                            {"ddl/1", 1},
                                            {"ddl/4", 1},
                                            {"ddl/4/token", 1},
                                            {"write_only/1", 1},
                                            {"write_only/4", 1},
                                            {"write_only/4/token", 1},
                                            {"{kind: ddl, value_channels: 4, beta_hidden: 40}", 1},
                                            {"seed_deepdeltares", 1},
                                            {"seed_write_only", 1},
                                            {"hyper_connections/4", 4},
                                            {"hyper_connections/4/static", 4}}) {
      INFO(arch << residual);
      const auto weights = Init(folder, model, residual, "17");
      REQUIRE(weights.count(*arch == 0 ? "transformer.wte.weight" : "token_embedding.weight") == 1);
      for (const auto& [name, tensor] : weights) CheckWeight(name, tensor, streams);
    }
  }
}

TEST_CASE("What starts at a constant starts at the one of ddl.md") {
  const ScratchFolder folder;
  const auto all = [](const Tensor& tensor, float value) {
    for (const float got : tensor.values) {
      if (std::abs(got - value) > 1e-6F) return false;
    }
    return true;
  };
  const auto weights = Init(folder, ModelFile(folder),
                            "{kind: ddl, value_channels: 4, "
                            "beta_init: 0.5}",
                            "3");
  CHECK(all(weights.at("ln_f.weight"), 1));
  CHECK(all(weights.at("transformer.h.2.attn.q_rms.weight"), 1));
  CHECK(all(weights.at("transformer.h.0.compress.read"), 0.25F));
  CHECK(all(weights.at("readout.read"), 0.25F));
  // beta_init 0.5: logit(0.25).
  CHECK(all(weights.at("transformer.h.1.ddl_mlp.beta.bias"), -std::log(3.0F)));
  CHECK(all(weights.at("transformer.h.1.ddl_mlp.v_proj.bias"), 0));
  const Tensor& taps = weights.at("input_embed.conv.weight");
  CHECK(taps.shape == std::vector<int64_t>{4 * kWidth, 1, 4});
  for (size_t i = 0; i < taps.values.size(); ++i) CHECK(taps.values[i] == (i % 4 == 3 ? 1 : 0));
  const auto hyper = Init(folder, ModelFile(folder), "hyper_connections/2", "3");
  CHECK(all(hyper.at("transformer.h.0.hc_attn.dynamic_alpha"), 0));
  CHECK(all(hyper.at("transformer.h.0.hc_attn.alpha_scale"), 0.01F));
  CHECK(hyper.at("transformer.h.0.hc_mlp.static_alpha").values ==
        std::vector<float>{0, 1, 0, 1, 0, 1});  // Sublayer 1: e_1, then the identity.
}

TEST_CASE("Residuals share what they share, seeds share nothing") {
  const ScratchFolder folder;
  const std::string model = ModelFile(folder);
  const auto additive = Init(folder, model, "additive", "9");
  for (const char* residual : {"ddl/1", "ddl/4", "ddl/4/token", "write_only/2"}) {
    const auto other = Init(folder, model, residual, "9");
    for (const auto& [name, tensor] : additive) {
      INFO(residual << " " << name);
      CHECK(other.at(name).values == tensor.values);
    }
  }
  const auto ddl = Init(folder, model, "ddl/4", "9");
  const auto write_only = Init(folder, model, "write_only/4", "9");
  REQUIRE(ddl.size() == write_only.size());
  for (const auto& [name, tensor] : ddl) CHECK(write_only.at(name).values == tensor.values);
  for (const auto& [name, tensor] : Init(folder, model, "additive", "10")) {
    INFO(name);
    const bool random = additive.at(name).Deviation() > 0;
    CHECK((additive.at(name).values != tensor.values) == random);
  }
}

TEST_CASE("A bad model or residual is refused with exit code 2, and nothing is written") {
  const ScratchFolder folder;
  const std::string path = folder / "none.safetensors";
  const auto refusal = [&](const std::string& model, const std::string& residual) {
    std::ostringstream out;
    std::ostringstream error;
    CHECK(InitVerb({"--model", model, "--residual", residual, "--out", path}, out, error) == 2);
    CHECK_FALSE(FileExists(path));
    return error.str();
  };
  const std::string good = ModelFile(folder);
  using Catch::Matchers::Contains;
  CHECK_THAT(refusal(good, "dll/1"), Contains("(did you mean \"ddl\"?)"));
  CHECK_THAT(refusal(good, "ddl/0"), Contains("model.residual.value_channels: must be at least 1"));
  CHECK_THAT(refusal(good, "ddl/4/static"), Contains("a residual is KIND"));
  CHECK_THAT(refusal(ModelFile(folder, "head_dim: 7\n"), "additive"),
             Contains("head_dim must be even, got 7"));
  const std::string odd = folder / "odd.yaml";
  Spit(odd, "d_model: 100\nn_heads: 3\n");
  CHECK_THAT(refusal(odd, "ddl/1"), Contains("odd.yaml:1:10: model.d_model: d_model must be "
                                             "divisible by n_heads"));
  CHECK_THAT(refusal(folder / "nowhere.yaml", "ddl/1"), Contains("nowhere.yaml"));
}

}  // namespace
}  // namespace ddl
