#include "common/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/files.h"
#include "common/status.h"

namespace ddl {

FileWriter::FileWriter(std::string path, std::string temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, "")),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      sha_(std::move(other.sha_)) {}

FileWriter::~FileWriter() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

absl::StatusOr<FileWriter> FileWriter::Create(const std::string& path) {
  std::string temporary = absl::StrCat(path, ".tmp.", getpid());
  const int fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return ErrnoStatus("cannot create", temporary);
  return FileWriter(path, std::move(temporary), fd);
}

absl::Status FileWriter::Append(absl::string_view bytes) {
  DDL_CHECK(fd_ >= 0);
  sha_.Update(bytes);
  bytes_ += static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    const ssize_t put = write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus("cannot write", path_);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::StatusOr<WrittenFile> FileWriter::Finish() {
  DDL_CHECK(fd_ >= 0);
  if (fsync(fd_) != 0) return ErrnoStatus("cannot sync", path_);
  if (close(std::exchange(fd_, -1)) != 0) return ErrnoStatus("cannot close", path_);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return ErrnoStatus("cannot rename to", path_);
  temporary_.clear();
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  DDL_RETURN_IF_ERROR(SyncFolder(folder.empty() ? "." : folder));
  return WrittenFile{bytes_, sha_.FinishHex()};
}

}  // namespace ddl
