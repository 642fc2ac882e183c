// An open regular file: never a folder, FIFO or device, whose reading could hang or never end.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ddl {

class RegularFile {
 public:
  // For reading. kNotFound; kFailedPrecondition for what is no regular file.
  static absl::StatusOr<RegularFile> Open(const std::string& path);
  ~RegularFile();
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&&) = delete;

  int fd() const { return fd_; }
  int64_t bytes() const { return bytes_; }  // When it was opened.

 private:
  RegularFile(int fd, int64_t bytes) : fd_(fd), bytes_(bytes) {}
  int fd_;
  int64_t bytes_;
};

}  // namespace ddl
