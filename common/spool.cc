#include "common/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/status.h"

namespace ddl {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kSummedHeaderBytes = 8;  // What the header's own sum covers.

uint32_t LoadLittleEndian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void StoreLittleEndian(uint32_t value, std::string* out) {
  for (int i = 0; i < 4; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

// Bytes read at `offset`, fewer than `size` only at the end of the file.
absl::StatusOr<std::string> ReadAt(int fd, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t got = pread(fd, bytes.data() + have, size - have,
                              static_cast<off_t>(offset + static_cast<int64_t>(have)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read", "spool");
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace

absl::StatusOr<SpoolWriter> SpoolWriter::Open(const std::string& path) {
  int64_t whole = 0;
  if (FileExists(path)) {
    DDL_ASSIGN_OR_RETURN(SpoolReader reader, SpoolReader::Open(path));
    while (true) {
      DDL_ASSIGN_OR_RETURN(const std::optional<std::string> record, reader.Next());
      if (!record) break;
    }
    whole = reader.offset();
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  SpoolWriter writer(fd);
  if (ftruncate(fd, static_cast<off_t>(whole)) != 0) return ErrnoStatus("cannot cut", path);
  return writer;
}

SpoolWriter::~SpoolWriter() {
  if (fd_ >= 0) close(fd_);
}
SpoolWriter::SpoolWriter(SpoolWriter&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
SpoolWriter& SpoolWriter::operator=(SpoolWriter&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

absl::Status SpoolWriter::Append(absl::string_view payload, bool sync) {
  if (payload.empty() || payload.size() > kMaxSpoolRecordBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a spool record must have 1 to ", kMaxSpoolRecordBytes, " bytes, got ", payload.size()));
  }
  std::string record;
  record.reserve(kHeaderBytes + payload.size());
  StoreLittleEndian(static_cast<uint32_t>(payload.size()), &record);
  StoreLittleEndian(Crc32c(payload), &record);
  StoreLittleEndian(Crc32c(record), &record);
  absl::StrAppend(&record, payload);

  const off_t start = lseek(fd_, 0, SEEK_END);
  ssize_t put = -1;
  do {
    put = write(fd_, record.data(), record.size());
  } while (put < 0 && errno == EINTR);
  if (put != static_cast<ssize_t>(record.size())) {
    if (put >= 0) errno = ENOSPC;  // A short write to a file has no other cause.
    absl::Status status = ErrnoStatus("cannot append to", "spool");
    if (ftruncate(fd_, start) != 0) return ErrnoStatus("cannot cut", "spool");
    return status;
  }
  if (sync && fdatasync(fd_) != 0) return ErrnoStatus("cannot sync", "spool");
  return absl::OkStatus();
}

absl::StatusOr<SpoolReader> SpoolReader::Open(const std::string& path, int64_t offset) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  return SpoolReader(fd, offset);
}

SpoolReader::~SpoolReader() {
  if (fd_ >= 0) close(fd_);
}
SpoolReader::SpoolReader(SpoolReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), offset_(other.offset_) {}
SpoolReader& SpoolReader::operator=(SpoolReader&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(offset_, other.offset_);
  return *this;
}

absl::StatusOr<std::optional<std::string>> SpoolReader::Next() {
  DDL_ASSIGN_OR_RETURN(const std::string header, ReadAt(fd_, offset_, kHeaderBytes));
  if (header.size() < kHeaderBytes) return std::nullopt;
  const absl::string_view summed(header.data(), kSummedHeaderBytes);
  if (Crc32c(summed) != LoadLittleEndian(header.data() + kSummedHeaderBytes)) {
    return absl::DataLossError(
        absl::StrCat("spool record at offset ", offset_, " has a wrong header checksum"));
  }
  const uint32_t size = LoadLittleEndian(header.data());
  if (size == 0 || size > kMaxSpoolRecordBytes) {
    return absl::DataLossError(
        absl::StrCat("spool record at offset ", offset_, " claims a length of ", size, " bytes"));
  }
  DDL_ASSIGN_OR_RETURN(std::string payload,
                       ReadAt(fd_, offset_ + static_cast<int64_t>(kHeaderBytes), size));
  if (payload.size() < size) return std::nullopt;
  if (Crc32c(payload) != LoadLittleEndian(header.data() + 4)) {
    return absl::DataLossError(
        absl::StrCat("spool record at offset ", offset_, " has a wrong checksum"));
  }
  offset_ += static_cast<int64_t>(kHeaderBytes + size);
  return std::optional<std::string>(std::move(payload));
}

}  // namespace ddl
