// A reference file (docs/golden.md): metadata that names a model, and the numbers that a trusted
// implementation computed with it. What is read here is whole: known types, finite numbers.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

struct GoldenFile {
  std::string path;
  std::map<std::string, std::string> metadata;
  std::map<std::string, at::Tensor> tensors;  // Float32, or int64 for tokens.

  // Each is kInvalidArgument, naming the key, when it is absent or no such value. Numbers are
  // written as Python writes them; booleans are True and False.
  absl::StatusOr<std::string> Text(absl::string_view key) const;
  absl::StatusOr<int64_t> Count(absl::string_view key, int64_t most = 65536) const;  // At least 1.
  absl::StatusOr<double> Real(absl::string_view key) const;                          // Finite.
  absl::StatusOr<bool> Flag(absl::string_view key) const;
  bool Has(absl::string_view key) const { return metadata.count(std::string(key)) > 0; }

  // The tensor `name` of this shape; kInvalidArgument without it or with another shape.
  absl::StatusOr<at::Tensor> Tensor(absl::string_view name, at::IntArrayRef shape) const;
};

// kInvalidArgument, naming the file, the tensor and the rule, for one that is absent, malformed,
// of other types or not finite.
absl::StatusOr<GoldenFile> ReadGoldenFile(const std::string& path);

}  // namespace ddl
