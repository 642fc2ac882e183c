#include "coordinator/service/log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/files.h"
#include "common/logging.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

// Size of a file; 0 when it is not there.
uint64_t SizeOf(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

absl::Time ModifiedAt(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return absl::InfinitePast();
  return absl::TimeFromTimespec(status.st_mtim);
}

std::vector<std::string> NamesIn(const std::string& folder) {
  return ListFolder(folder).value_or(std::vector<std::string>());
}

uint64_t BytesIn(const std::string& folder) {
  uint64_t bytes = 0;
  for (const std::string& name : NamesIn(folder)) bytes += SizeOf(absl::StrCat(folder, "/", name));
  return bytes;
}

// When one of the folder's logs was last written to.
absl::Time LastWrite(const std::string& folder) {
  absl::Time last = absl::InfinitePast();
  for (const std::string& name : NamesIn(folder)) {
    last = std::max(last, ModifiedAt(absl::StrCat(folder, "/", name)));
  }
  return last;
}

absl::Status AppendTo(const std::string& path, absl::string_view data) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  while (!data.empty()) {
    const ssize_t put = write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus("cannot write", path);
    data.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogStore>> LogStore::Open(const std::string& folder,
                                                         const LogLimits& limits) {
  DDL_RETURN_IF_ERROR(MakeFolders(folder));
  uint64_t total = 0;
  for (const std::string& run : NamesIn(folder)) total += BytesIn(absl::StrCat(folder, "/", run));
  return std::unique_ptr<LogStore>(new LogStore(folder, limits, total));
}

std::string LogStore::PathOf(const LogKey& key) const {
  return absl::StrCat(folder_, "/", key.run, "/e", key.epoch, "-r", key.rank);
}

absl::StatusOr<LogStore::Taken> LogStore::Append(const LogKey& key, uint64_t offset,
                                                 absl::string_view data, bool end) {
  const std::string path = PathOf(key);
  MutexLock lock(&mutex_);
  const uint64_t size = SizeOf(path);
  if (IsComplete(key)) return Taken{size, true};
  if (offset > size || offset + data.size() < size) return Taken{size, false};
  data.remove_prefix(size - offset);
  const bool full = size + data.size() > limits_.rank_bytes;
  if (full) data = data.substr(0, limits_.rank_bytes - std::min(limits_.rank_bytes, size));
  if (size == 0) DDL_RETURN_IF_ERROR(MakeFolders(absl::StrCat(folder_, "/", key.run)));
  if (!data.empty()) DDL_RETURN_IF_ERROR(AppendTo(path, data));
  total_ += data.size();
  if (full) {
    const std::string mark = absl::StrCat("\n[the coordinator keeps ", limits_.rank_bytes,
                                          " bytes of a log; the rest stays with the worker]\n");
    DDL_RETURN_IF_ERROR(AppendTo(path, mark));
    total_ += mark.size();
  }
  if (full || end) DDL_RETURN_IF_ERROR(Complete(path));
  if (total_ > limits_.total_bytes) MakeRoom(key.run);
  ++version_;
  changed_.notify_all();
  return Taken{size + data.size(), full || end};
}

// The log is on the disk before the mark that it is whole.
absl::Status LogStore::Complete(const std::string& path) const {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : ErrnoStatus("cannot sync", path);
  close(fd);
  DDL_RETURN_IF_ERROR(status);
  return WriteFileAtomically(absl::StrCat(path, ".end"), "");
}

void LogStore::MakeRoom(const std::string& keep) {
  std::vector<std::pair<absl::Time, std::string>> runs;
  for (const std::string& run : NamesIn(folder_)) {
    if (run != keep) runs.emplace_back(LastWrite(absl::StrCat(folder_, "/", run)), run);
  }
  std::sort(runs.begin(), runs.end());
  for (const auto& [last, run] : runs) {
    if (total_ <= limits_.total_bytes) return;
    const std::string folder = absl::StrCat(folder_, "/", run);
    const uint64_t bytes = BytesIn(folder);
    if (const absl::Status removed = RemoveTree(folder); !removed.ok()) {
      DDL_LOG(Warning, {"run", run}) << "cannot remove old logs: " << removed;
      continue;
    }
    total_ -= std::min(total_, bytes);
    DDL_LOG(Info, {"run", run}) << "removed " << bytes << " bytes of logs: all logs together may "
                                << "take " << limits_.total_bytes << " bytes";
  }
}

absl::StatusOr<std::string> LogStore::Read(const LogKey& key, uint64_t offset,
                                           uint64_t limit) const {
  const std::string path = PathOf(key);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) return std::string();
    return ErrnoStatus("cannot open", path);
  }
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  std::string bytes(limit, '\0');
  const ssize_t got = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (got < 0) return ErrnoStatus("cannot read", path);
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

bool LogStore::IsComplete(const LogKey& key) const {
  return FileExists(absl::StrCat(PathOf(key), ".end"));
}

uint64_t LogStore::version() const {
  MutexLock lock(&mutex_);
  return version_;
}

void LogStore::WaitBeyond(uint64_t seen, absl::Time until) const {
  // Far below what the clock can hold: `until` may be the infinite future.
  const absl::Duration patience = std::min(until - absl::Now(), absl::Hours(24));
  const auto limit = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  MutexLock lock(&mutex_);
  while (version_ <= seen) {
    if (changed_.wait_until(mutex_, limit) == std::cv_status::timeout) return;
  }
}

}  // namespace ddl::coordinator
