#include "worker/agent/linux_host.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/logging.h"
#include "common/names.h"
#include "common/status.h"
#include "worker/agent/rank_process.h"

namespace ddl::agent {

absl::StatusOr<ProcessIdentity> LinuxHost::StartRank(const v1::RankLaunch& launch) {
  const RankKey key{{launch.run(), launch.epoch()}, launch.rank()};
  DDL_RETURN_IF_ERROR(folders_.WriteLaunch(launch));
  RankCommand command;
  command.program = rank_program_;
  command.folder = folders_.FolderOf(key);
  command.arguments = {"train", "--launch", absl::StrCat(command.folder, "/launch.pb"),
                       "--log-format", log_format_};
  command.environment = OwnEnvironment(std::max(1U, launch.spec().parallel().threads_per_rank()));
  command.log = absl::StrCat(command.folder, "/log");
  ProcessIdentity process;
  process.boot_id = processes_.BootId();
  const auto record = [&](int32_t pid) -> absl::Status {
    const std::optional<uint64_t> start = processes_.StartTicks(pid);
    if (!start) return absl::InternalError("the rank's process ended before it was released");
    process.pid = pid;
    process.start_ticks = *start;
    return folders_.RecordProcess(key, process);
  };
  DDL_RETURN_IF_ERROR(SpawnRank(command, record).status());
  return process;
}

absl::StatusOr<uint32_t> LinuxHost::FreePort(const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.c_str(), "0", &hints, &found); error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("data address ", Quoted(address), ": ", gai_strerror(error)));
  }
  const auto free_found = absl::MakeCleanup([found] { freeaddrinfo(found); });
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoStatus("cannot make", "a socket");
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0) {
    return ErrnoStatus("cannot bind data address", address);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return ErrnoStatus("cannot read the address of", "a socket");
  }
  const uint16_t port = bound.ss_family == AF_INET6
                            ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port;
  return ntohs(port);
}

absl::StatusOr<std::vector<FoundRank>> LinuxHost::FindRanks() {
  std::vector<std::string> remarks;
  absl::StatusOr<std::vector<FoundRank>> ranks = folders_.Find(&remarks);
  for (const std::string& remark : remarks) {
    DDL_LOG(Warning) << "a run folder is not adopted: " << remark;
  }
  return ranks;
}

void LinuxHost::Forget(const AttemptKey& attempt) {
  const absl::Status forgotten = folders_.Forget(attempt);
  if (!forgotten.ok()) {
    DDL_LOG(Warning, {"run", attempt.run}, {"attempt", attempt.epoch})
        << "the attempt is dropped, its folder is not marked: " << forgotten;
  }
}

}  // namespace ddl::agent
