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
#include "worker/train/golden/golden_model.h"

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
  const absl::StatusOr<ModelConfig> config =
      GoldenModel({.path = name, .metadata = metadata, .tensors = tensors});
  DDL_CHECK(config.ok());
  return *config;
}

double MaxError(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor difference = got.to(at::kDouble) - want.to(at::kDouble);
  return (difference.abs().max() / want.abs().max()).item<double>();
}

}  // namespace ddl
