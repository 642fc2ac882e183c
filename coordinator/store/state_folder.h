// The coordinator's state folder: on a local disk, and held by one process at a time.
//
// The lock is flock(2) on the folder itself, so that it survives whoever deletes the file `lock`,
// and ends with the process, however that ends. The file tells a second process who the first is.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddl::coordinator {

class StateFolder {
 public:
  // Makes the folder (mode 0700) if needed and takes the lock. kAlreadyExists names the pid and
  // host of the holder; kFailedPrecondition for a network file system.
  static absl::StatusOr<StateFolder> Hold(const std::string& path);
  ~StateFolder();
  StateFolder(StateFolder&& other) noexcept;
  StateFolder& operator=(StateFolder&& other) noexcept;

  const std::string& path() const { return path_; }
  std::string DatabasePath() const;

  // Amnesia: a folder that has served before but has no database, or any folder without a database
  // when `bootstrap` is not given. A coordinator that starts empty there would disown every run.
  // kFailedPrecondition.
  absl::Status CheckHistory(bool bootstrap) const;

 private:
  StateFolder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

// kFailedPrecondition for the f_type of statfs(2) of a file system whose locks and flushes a
// database cannot rely on: NFS, SMB, FUSE and other remote ones.
absl::Status CheckFilesystem(uint32_t type, const std::string& path);

}  // namespace ddl::coordinator
