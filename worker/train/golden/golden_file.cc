#include "worker/train/golden/golden_file.h"

#include <cmath>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names.h"
#include "common/safetensors.h"
#include "common/status.h"

namespace ddl {
namespace {

absl::Status BadKey(absl::string_view key, absl::string_view rule, absl::string_view got) {
  return absl::InvalidArgumentError(
      absl::StrCat("metadata ", key, " must be ", rule, ", got ", Quoted(got)));
}

absl::StatusOr<at::Tensor> Copied(const TensorView& view) {
  const bool tokens = view.type == TensorType::kI64;
  if (!tokens && view.type != TensorType::kF32) {
    return absl::InvalidArgumentError(
        absl::StrCat(view.name, " must be of type F32, or I64, got ", TensorTypeName(view.type)));
  }
  at::Tensor tensor = at::empty(view.shape, tokens ? at::kLong : at::kFloat);
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  if (!tokens && !at::isfinite(tensor).all().item<bool>()) {
    return absl::InvalidArgumentError(absl::StrCat(view.name, " must be finite throughout"));
  }
  return tensor;
}

}  // namespace

absl::StatusOr<std::string> GoldenFile::Text(absl::string_view key) const {
  const auto found = metadata.find(std::string(key));
  if (found != metadata.end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat("metadata has no key ", key));
}

absl::StatusOr<int64_t> GoldenFile::Count(absl::string_view key, int64_t most) const {
  DDL_ASSIGN_OR_RETURN(const std::string text, Text(key));
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= 1 && value <= most) return value;
  return BadKey(key, absl::StrCat("a whole number from 1 to ", most), text);
}

absl::StatusOr<double> GoldenFile::Real(absl::string_view key) const {
  DDL_ASSIGN_OR_RETURN(const std::string text, Text(key));
  double value = 0;
  if (absl::SimpleAtod(text, &value) && std::isfinite(value)) return value;
  return BadKey(key, "a number", text);
}

absl::StatusOr<bool> GoldenFile::Flag(absl::string_view key) const {
  DDL_ASSIGN_OR_RETURN(const std::string text, Text(key));
  if (text == "True" || text == "False") return text == "True";
  return BadKey(key, "True or False", text);
}

absl::StatusOr<at::Tensor> GoldenFile::Tensor(absl::string_view name, at::IntArrayRef shape) const {
  const auto found = tensors.find(std::string(name));
  if (found == tensors.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the file has no tensor ", name));
  }
  if (found->second.sizes() == shape) return found->second;
  return absl::InvalidArgumentError(absl::StrCat(name, " must have shape [",
                                                 absl::StrJoin(shape, ","), "], got [",
                                                 absl::StrJoin(found->second.sizes(), ","), "]"));
}

absl::StatusOr<GoldenFile> ReadGoldenFile(const std::string& path) {
  const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Open(path);
  if (!file.ok()) return absl::InvalidArgumentError(file.status().message());
  GoldenFile golden{.path = path, .metadata = file->metadata()};
  for (const TensorView& view : file->tensors()) {
    absl::StatusOr<at::Tensor> tensor = Copied(view);
    if (!tensor.ok()) return Annotate(tensor.status(), path);
    golden.tensors[view.name] = *std::move(tensor);
  }
  return golden;
}

}  // namespace ddl
