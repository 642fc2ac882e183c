#include "common/mapped_file.h"

#include <sys/mman.h>

#include <utility>

#include "common/files.h"
#include "common/regular_file.h"
#include "common/status.h"

namespace ddl {

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  DDL_ASSIGN_OR_RETURN(const RegularFile file, RegularFile::Open(path));
  const auto size = static_cast<size_t>(file.bytes());
  if (size == 0) return MappedFile(absl::string_view());
  void* const start = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
  if (start == MAP_FAILED) return ErrnoStatus("cannot map", path);
  return MappedFile(absl::string_view(static_cast<const char*>(start), size));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}
MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, absl::string_view())) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace ddl
