// A large file written piece by piece: it appears under its name whole, durable and with a known
// SHA-256, or not at all. (Small files: WriteFileAtomically of common/files.h.)
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/digest.h"

namespace ddl {

struct WrittenFile {
  int64_t bytes = 0;
  std::string sha256;  // Of what was handed to Append, not of what the disk says.
};

class FileWriter {
 public:
  // Makes a temporary file beside `path`.
  static absl::StatusOr<FileWriter> Create(const std::string& path);
  // Removes the temporary file unless Finish succeeded.
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;

  // kResourceExhausted for a full disk; the writer is of no use after an error.
  absl::Status Append(absl::string_view bytes);
  // fsync, rename to `path`, fsync of the folder.
  absl::StatusOr<WrittenFile> Finish();

 private:
  FileWriter(std::string path, std::string temporary, int fd);

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
  int64_t bytes_ = 0;
  Sha256 sha_;
};

}  // namespace ddl
