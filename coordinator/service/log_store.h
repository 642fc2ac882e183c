// Copies of the ranks' log files, as far as workers have sent them: one file for each rank of each
// attempt below the coordinator's folder. The length of the copy is the cursor, so that a repeated
// or late piece changes nothing, and a copy that a crash has shortened is filled up again.
//
//   logs/<run>/e<epoch>-r<rank>       the copy
//   logs/<run>/e<epoch>-r<rank>.end   nothing more is taken
//
// Logs are no part of the journal: losing them loses no run. Thread-safe; one append at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"

namespace ddl::coordinator {

struct LogLimits {
  uint64_t rank_bytes = uint64_t{16} << 20;  // Of one rank of one attempt; then comes a mark.
  uint64_t total_bytes = uint64_t{1} << 30;  // Of all; then the runs that wrote longest ago go.
};

// `run` must be an id that was looked up: it becomes part of a path.
struct LogKey {
  std::string run;
  uint64_t epoch = 0;
  uint32_t rank = 0;
};

class LogStore {
 public:
  // Makes `folder` if it is not there.
  static absl::StatusOr<std::unique_ptr<LogStore>> Open(const std::string& folder,
                                                        const LogLimits& limits);

  struct Taken {
    uint64_t next_offset = 0;
    bool complete = false;
  };
  // Appends what of `data`, which begins at `offset` of the original, lies behind the copy's end;
  // nothing if that would leave a gap. With `end`, which counts only if `data` arrives in whole,
  // and at the limit, the copy is complete. kResourceExhausted for a full disk.
  absl::StatusOr<Taken> Append(const LogKey& key, uint64_t offset, absl::string_view data,
                               bool end);

  // At most `limit` bytes from `offset` on; none at the end of the copy or without one.
  absl::StatusOr<std::string> Read(const LogKey& key, uint64_t offset, uint64_t limit) const;
  bool IsComplete(const LogKey& key) const;

  // Rises with each append.
  uint64_t version() const;
  // Returns when the version is above `seen`, at the latest at `until`.
  void WaitBeyond(uint64_t seen, absl::Time until) const;

 private:
  LogStore(std::string folder, const LogLimits& limits, uint64_t total)
      : folder_(std::move(folder)), limits_(limits), total_(total) {}
  std::string PathOf(const LogKey& key) const;
  absl::Status Complete(const std::string& path) const;
  void MakeRoom(const std::string& keep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;
  const LogLimits limits_;
  mutable Mutex mutex_;
  mutable std::condition_variable_any changed_;
  uint64_t total_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ddl::coordinator
