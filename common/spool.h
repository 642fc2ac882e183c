// The spool: an append-only file of records, written by one process and read by another.
//
// A record is: length (u32, little endian), CRC32C of the payload (u32), CRC32C of those eight
// bytes (u32), payload. The header's sum is what tells a torn tail (a record that is still being
// written: wait) from damage (an error with its offset): without it a damaged length would look
// like a record whose end is not there yet. The payload of a rank's spool is a serialized
// v1::RankEvent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

inline constexpr uint32_t kMaxSpoolRecordBytes = 1 << 20;

class SpoolWriter {
 public:
  // Opens for appending, making the file. A torn tail left by a dead writer is cut off first.
  static absl::StatusOr<SpoolWriter> Open(const std::string& path);
  ~SpoolWriter();
  SpoolWriter(SpoolWriter&&) noexcept;
  SpoolWriter& operator=(SpoolWriter&&) noexcept;

  // One write(2). With `sync`, durable when it returns OK. kInvalidArgument over the limit;
  // kResourceExhausted for a full disk (the file is cut back to the last whole record).
  absl::Status Append(absl::string_view payload, bool sync);

 private:
  explicit SpoolWriter(int fd) : fd_(fd) {}
  int fd_ = -1;
};

class SpoolReader {
 public:
  // `offset` is where an earlier reader stopped: offset() of it.
  static absl::StatusOr<SpoolReader> Open(const std::string& path, int64_t offset = 0);
  ~SpoolReader();
  SpoolReader(SpoolReader&&) noexcept;
  SpoolReader& operator=(SpoolReader&&) noexcept;

  // The next whole record; nullopt at the end or before a torn tail, and then later calls may find
  // more. kDataLoss for a damaged record, naming its offset.
  absl::StatusOr<std::optional<std::string>> Next();
  int64_t offset() const { return offset_; }

 private:
  SpoolReader(int fd, int64_t offset) : fd_(fd), offset_(offset) {}
  int fd_ = -1;
  int64_t offset_ = 0;
};

}  // namespace ddl
