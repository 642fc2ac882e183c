#include "coordinator/store/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/files.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

constexpr absl::string_view kLockFile = "lock";
constexpr absl::string_view kDatabaseFile = "coordinator.db";

struct RemoteFilesystem {
  uint32_t type;
  const char* name;
};
// From linux/magic.h and the file systems' own sources.
constexpr std::array<RemoteFilesystem, 11> kRemote = {{
    {0x6969, "NFS"},
    {0x517B, "SMB"},
    {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},
    {0x65735546, "FUSE"},
    {0x00C36400, "Ceph"},
    {0x0BD00BD0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x5346414F, "AFS"},
    {0x564C, "NCP"},
    {0x01161970, "GFS2"},
}};

std::string HostName() {
  std::array<char, 256> name = {};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

absl::Status Held(const std::string& path) {
  const absl::StatusOr<std::string> holder = ReadFile(absl::StrCat(path, "/", kLockFile), 4096);
  std::string who = holder.ok() ? absl::StrReplaceAll(*holder, {{"\n", " "}}) : "";
  if (who.empty()) who = "a process that has not written its name yet ";
  return absl::AlreadyExistsError(absl::StrCat("state folder ", path, " is held by ", who,
                                               "(one coordinator for each folder)"));
}

}  // namespace

absl::Status CheckFilesystem(uint32_t type, const std::string& path) {
  const auto* const found = std::find_if(kRemote.begin(), kRemote.end(),
                                         [&](const auto& remote) { return remote.type == type; });
  if (found == kRemote.end()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("state folder ", path, " is on a ", found->name,
                   " file system; the journal needs a local disk"));
}

absl::StatusOr<StateFolder> StateFolder::Hold(const std::string& path) {
  DDL_RETURN_IF_ERROR(MakeFolders(path));
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  StateFolder folder(path, fd);
  struct statfs filesystem = {};
  if (fstatfs(fd, &filesystem) != 0) return ErrnoStatus("cannot inspect", path);
  DDL_RETURN_IF_ERROR(CheckFilesystem(static_cast<uint32_t>(filesystem.f_type), path));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Held(path);
    return ErrnoStatus("cannot lock", path);
  }
  DDL_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(path, "/", kLockFile),
                          absl::StrCat("pid ", getpid(), "\non host ", HostName(), "\n")));
  return folder;
}

StateFolder::~StateFolder() {
  if (fd_ >= 0) close(fd_);
}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateFolder& StateFolder::operator=(StateFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

std::string StateFolder::DatabasePath() const { return absl::StrCat(path_, "/", kDatabaseFile); }

absl::Status StateFolder::CheckHistory(bool bootstrap) const {
  struct stat database = {};
  if (stat(DatabasePath().c_str(), &database) == 0 && database.st_size > 0) return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(std::vector<std::string> names, ListFolder(path_));
  const auto unimportant = [](const std::string& name) {
    return name == kLockFile || name == "lost+found" || absl::StartsWith(name, kDatabaseFile);
  };
  names.erase(std::remove_if(names.begin(), names.end(), unimportant), names.end());
  if (!names.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("state folder ", path_, " has no ", kDatabaseFile, " but is not empty (",
                     absl::StrJoin(names, ", "),
                     "): restore the database, or name an empty folder to begin a new cluster"));
  }
  if (bootstrap) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("state folder ", path_, " has no ", kDatabaseFile,
                   ": pass --bootstrap to begin a new cluster there"));
}

}  // namespace ddl::coordinator
