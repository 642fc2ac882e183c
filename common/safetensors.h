// Safetensors files: a little-endian u64 with the header's length, the header (JSON: name -> dtype,
// shape, data_offsets; strings under __metadata__), then the tensors' bytes.
//
// The reader trusts nothing: header of at most 16 MiB and three levels, every tensor's size equal
// to dtype times shape, tensors side by side from the first byte of data to the last of the file,
// names that occur once. Nothing here sees protobuf or LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_writer.h"
#include "common/mapped_file.h"

namespace ddl {

inline constexpr uint64_t kMaxSafetensorsHeaderBytes = uint64_t{16} << 20;

enum class TensorType { kF32, kF64, kBf16, kF16, kI64, kI32, kU16, kU8 };
absl::string_view TensorTypeName(TensorType type);  // As in the file: "F32", "BF16", ...
int64_t TensorTypeBytes(TensorType type);

// A tensor, row-major and little-endian; it owns no bytes.
struct TensorView {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;  // Empty for a scalar.
  absl::string_view bytes;
};

class SafetensorsFile {
 public:
  // kNotFound without the file; kDataLoss, naming the file, the tensor and the rule, for a
  // truncated or malformed one. Digests are the caller's: compare Sha256Hex(bytes()) first.
  static absl::StatusOr<SafetensorsFile> Open(const std::string& path);

  absl::string_view bytes() const { return file_.bytes(); }            // The whole file.
  const std::vector<TensorView>& tensors() const { return tensors_; }  // In the file's order.
  const TensorView* Find(absl::string_view name) const;                // Null without it.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  explicit SafetensorsFile(MappedFile file) : file_(std::move(file)) {}

  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// The same checks on bytes in memory; the views point into `bytes`.
struct ParsedSafetensors {
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
};
absl::StatusOr<ParsedSafetensors> ParseSafetensors(absl::string_view bytes);

// Writes the tensors in the order given, streaming, to a temporary file that is then renamed to
// `path` (common/file_writer.h). kInvalidArgument for a repeated name or bytes that do not fit
// dtype and shape; kResourceExhausted for a full disk, and then nothing is left of it.
absl::StatusOr<WrittenFile> WriteSafetensors(
    const std::string& path, const std::vector<TensorView>& tensors,
    const std::map<std::string, std::string>& metadata = {});

}  // namespace ddl
