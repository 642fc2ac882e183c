#include "common/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace ddl {

absl::StatusOr<RegularFile> RegularFile::Open(const std::string& path) {
  // Without O_NONBLOCK the opening of a FIFO waits for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  RegularFile file(fd, 0);
  struct stat status {};
  if (fstat(fd, &status) != 0) return ErrnoStatus("cannot stat", path);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a regular file"));
  }
  file.bytes_ = status.st_size;
  return file;
}

RegularFile::~RegularFile() {
  if (fd_ >= 0) close(fd_);
}
RegularFile::RegularFile(RegularFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_) {}

}  // namespace ddl
