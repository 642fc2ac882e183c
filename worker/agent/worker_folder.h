// The worker's state folder: held by one daemon at a time, and what must outlive the daemon.
//
//   identity   the cluster that this worker belongs to, and the highest term it has seen
//   lease      its time of change is renewed while the coordinator is heard
//   address    where this daemon serves HTTP
//
// The lock is flock(2) on the folder itself; the file `lock` tells a second daemon who has it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddl::agent {

struct WorkerIdentity {
  std::string cluster_id;  // Empty before the first registration.
  uint64_t term = 0;
  bool operator==(const WorkerIdentity&) const = default;
};

class WorkerFolder {
 public:
  // Makes the folder if needed. kAlreadyExists names the pid and host of the daemon that holds it.
  static absl::StatusOr<WorkerFolder> Hold(const std::string& path);
  ~WorkerFolder();
  WorkerFolder(WorkerFolder&& other) noexcept;
  WorkerFolder& operator=(WorkerFolder&&) = delete;

  const std::string& path() const { return path_; }  // Absolute, without links.

  absl::StatusOr<WorkerIdentity> ReadIdentity() const;
  absl::Status WriteIdentity(const WorkerIdentity& identity) const;
  absl::Status WriteAddress(const std::string& http_address) const;
  absl::Status RenewLease() const;

 private:
  WorkerFolder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace ddl::agent
