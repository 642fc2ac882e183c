#include "worker/agent/worker_folder.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"
#include "worker/agent/launch.h"

namespace ddl::agent {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

std::string HolderOf(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat(path, "/lock"), 1024);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "another process";
}

}  // namespace

absl::StatusOr<WorkerFolder> WorkerFolder::Hold(const std::string& path) {
  DDL_RETURN_IF_ERROR(MakeFolders(path));
  std::array<char, PATH_MAX> real{};
  if (realpath(path.c_str(), real.data()) == nullptr) return ErrnoStatus("cannot resolve", path);
  const int fd = open(real.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open folder", path);
  WorkerFolder folder(real.data(), fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus("cannot lock", path);
    return absl::AlreadyExistsError(
        absl::StrCat("state folder ", path, " is held by ", HolderOf(folder.path_)));
  }
  DDL_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(folder.path_, "/lock"),
                          absl::StrCat("pid ", getpid(), " on ", HostName(), "\n")));
  return folder;
}

WorkerFolder::~WorkerFolder() {
  if (fd_ >= 0) close(fd_);
}
WorkerFolder::WorkerFolder(WorkerFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

absl::StatusOr<WorkerIdentity> WorkerFolder::ReadIdentity() const {
  const std::string path = absl::StrCat(path_, "/identity");
  const absl::StatusOr<std::string> text = ReadFile(path, 1024);
  if (absl::IsNotFound(text.status())) return WorkerIdentity{};
  if (!text.ok()) return text.status();
  const std::vector<std::string> parts = absl::StrSplit(absl::StripAsciiWhitespace(*text), ' ');
  WorkerIdentity identity;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &identity.term)) {
    return absl::DataLossError(
        absl::StrCat(path, " must hold a cluster id and a term, got ", Quoted(*text)));
  }
  identity.cluster_id = parts[0];
  return identity;
}

absl::Status WorkerFolder::WriteIdentity(const WorkerIdentity& identity) const {
  return WriteFileAtomically(absl::StrCat(path_, "/identity"),
                             absl::StrCat(identity.cluster_id, " ", identity.term, "\n"));
}

absl::Status WorkerFolder::WriteAddress(const std::string& http_address) const {
  return WriteFileAtomically(absl::StrCat(path_, "/address"),
                             absl::StrCat("http=", http_address, "\n"));
}

absl::Status WorkerFolder::RenewLease() const {
  const std::string path = LeaseFile(path_);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  const int renewed = futimens(fd, nullptr);
  absl::Status status = renewed == 0 ? absl::OkStatus() : ErrnoStatus("cannot renew", path);
  close(fd);
  return status;
}

}  // namespace ddl::agent
