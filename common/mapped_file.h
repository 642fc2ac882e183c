// A regular file mapped for reading. The file must not shrink while it is mapped; shards and
// checkpoints never do, because they are only ever replaced by rename.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

class MappedFile {
 public:
  // kNotFound; kFailedPrecondition for what is not a regular file. An empty file maps to no bytes.
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  // Valid as long as this object, and after it was moved from, as long as its successor.
  absl::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(absl::string_view bytes) : bytes_(bytes) {}
  absl::string_view bytes_;
};

}  // namespace ddl
