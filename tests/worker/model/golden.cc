#include "tests/worker/model/golden.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/files.h"
#include "tests/places.h"

namespace ddl {
namespace {

at::Tensor ReadTensor(const nlohmann::json& entry, const char* bytes) {
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto ends = entry.at("data_offsets").get<std::vector<int64_t>>();
  const at::Tensor tensor = at::empty(shape, entry.at("dtype") == "I64" ? at::kLong : at::kFloat);
  DDL_CHECK(ends[1] - ends[0] == static_cast<int64_t>(tensor.nbytes()));
  std::memcpy(tensor.data_ptr(), bytes + ends[0], tensor.nbytes());
  return tensor;
}

// "True" and "4" alike.
double Number(const std::string& text) {
  if (text == "True") return 1;
  if (text == "False") return 0;
  return std::stod(text);
}

}  // namespace

std::optional<Golden> ReadGolden(const std::string& name) {
  const char* const folder = std::getenv("DDL_GOLDEN_DIR");
  std::string path = absl::StrCat(folder != nullptr ? folder : SourcePath("../shared/golden"), "/",
                                  name, ".safetensors");
  if (!FileExists(path)) path = SourcePath(absl::StrCat("tests/golden/", name, ".safetensors"));
  if (!FileExists(path)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  const auto header = nlohmann::json::parse(bytes.substr(8, header_bytes));
  Golden golden{.name = name};
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      golden.metadata = entry.get<std::map<std::string, std::string>>();
    } else {
      golden.tensors[key] = ReadTensor(entry, bytes.data() + 8 + header_bytes);
    }
  }
  return golden;
}

ModelConfig Golden::Config() const {
  const auto number = [&](const char* key) { return Number(metadata.at(key)); };
  const auto integer = [&](const char* key) { return static_cast<int64_t>(number(key)); };
  ModelConfig config{.d_model = integer("hidden_size"),
                     .n_layers = integer("num_hidden_layers"),
                     .n_heads = integer("num_attention_heads"),
                     .head_dim = integer("head_dim"),
                     .d_ff = tensors.at("param/transformer.h.0.mlp.c_fc1.weight").size(0),
                     .vocab_size = integer("vocab_size"),
                     .rope_ratio = number("rope_ratio"),
                     .qk_norm = number("use_qk_rmsnorm") != 0};
  const std::string& variant = metadata.at("variant");
  const bool write_only = variant.ends_with("_wo");
  const bool scalar = variant.starts_with("vdim1") || variant == "base";
  config.residual = {
      .kind = variant == "base" ? "additive" : (write_only ? "write_only" : "ddl"),
      .value_channels = scalar ? 1 : integer("ddl_value_channels"),
      .embed_conv = tensors.contains("param/input_embed.conv.weight"),
      .embed_conv_kernel = integer("input_embed_shortconv_kernel_size"),
      .beta_hidden = number("ddl_beta_single_linear") != 0 ? 0 : integer("ddl_beta_hidden_size"),
      .k_eps = number("ddl_k_eps"),
      .v_scale = number("ddl_v_sigmoid_scale"),
      .v_sigmoid = number("ddl_v_sigmoid") != 0};
  return config;
}

double MaxError(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor difference = got.to(at::kDouble) - want.to(at::kDouble);
  return (difference.abs().max() / want.abs().max()).item<double>();
}

}  // namespace ddl
