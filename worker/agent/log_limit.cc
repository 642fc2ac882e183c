#include "worker/agent/log_limit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace ddl::agent {

absl::StatusOr<int64_t> LimitLog(const std::string& path, int64_t limit, int64_t slack,
                                 int64_t dropped_before) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || status.st_size <= limit + slack) return 0;
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return ErrnoStatus("cannot open", path);
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  // The rank's descriptor appends, so its next line follows the mark.
  if (ftruncate(fd, static_cast<off_t>(limit)) != 0) return ErrnoStatus("cannot cut", path);
  const int64_t dropped = status.st_size - limit;
  const std::string mark = absl::StrCat("\n[", dropped_before + dropped,
                                        " bytes dropped: a log is limited to ", limit, " bytes]\n");
  if (write(fd, mark.data(), mark.size()) < 0) return ErrnoStatus("cannot mark", path);
  return dropped;
}

}  // namespace ddl::agent
