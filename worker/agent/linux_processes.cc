#include "worker/agent/linux_processes.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/files.h"

namespace ddl::agent {
namespace {

int PidfdOpen(int32_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

// For the status of a child; other processes have theirs taken by their own parent.
ProcessEnd Reap(int pidfd) {
  siginfo_t end{};
  ProcessEnd result;
  if (waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &end, WEXITED | WNOHANG) !=
          0 ||
      end.si_pid == 0) {
    return result;
  }
  if (end.si_code == CLD_EXITED) {
    result.exit_code = end.si_status;
  } else {
    result.signal = end.si_status;
  }
  return result;
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(const std::string& line) {
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  // Field 3, the state, is the first behind the name; field 22 is the start time.
  const std::vector<std::string> fields =
      absl::StrSplit(line.substr(end + 1), ' ', absl::SkipEmpty());
  constexpr size_t kStartField = 22 - 3;
  ProcessStat stat;
  if (fields.size() <= kStartField || fields[0].size() != 1 ||
      !absl::SimpleAtoi(fields[kStartField], &stat.start_ticks)) {
    return std::nullopt;
  }
  stat.state = fields[0][0];
  return stat;
}

LinuxProcesses::LinuxProcesses() {
  const absl::StatusOr<std::string> id = ReadFile("/proc/sys/kernel/random/boot_id");
  if (id.ok()) boot_id_ = std::string(absl::StripAsciiWhitespace(*id));
}

LinuxProcesses::~LinuxProcesses() {
  for (const auto& [pid, watched] : watched_) close(watched.pidfd);
}

std::optional<uint64_t> LinuxProcesses::StartTicks(int32_t pid) {
  const absl::StatusOr<std::string> line = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  if (!line.ok()) return std::nullopt;
  const std::optional<ProcessStat> stat = ParseProcessStat(*line);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return stat->start_ticks;
}

int LinuxProcesses::Watch(const ProcessIdentity& process) {
  const auto found = watched_.find(process.pid);
  if (found != watched_.end() && found->second.process == process) return found->second.pidfd;
  if (process.pid <= 0 || process.boot_id != boot_id_) return -1;
  const int pidfd = PidfdOpen(process.pid);
  if (pidfd < 0) return -1;
  // Opened first and compared then: if the start time is right, the pidfd is this process's.
  const absl::StatusOr<std::string> line = ReadFile(absl::StrCat("/proc/", process.pid, "/stat"));
  const std::optional<ProcessStat> stat = line.ok() ? ParseProcessStat(*line) : std::nullopt;
  if (!stat || stat->start_ticks != process.start_ticks) {
    close(pidfd);
    return -1;
  }
  Close(process.pid);
  watched_[process.pid] = {process, pidfd};
  return pidfd;
}

void LinuxProcesses::Close(int32_t pid) {
  const auto found = watched_.find(pid);
  if (found == watched_.end()) return;
  close(found->second.pidfd);
  watched_.erase(found);
}

void LinuxProcesses::Signal(const ProcessIdentity& process, StopSignal signal) {
  const int pidfd = Watch(process);
  if (pidfd < 0) return;
  const int number = signal == StopSignal::kKill ? SIGKILL : SIGTERM;
  syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
}

std::optional<ProcessEnd> LinuxProcesses::Ended(const ProcessIdentity& process) {
  const int pidfd = Watch(process);
  if (pidfd < 0) return ProcessEnd{};
  pollfd waiting{pidfd, POLLIN, 0};
  if (poll(&waiting, 1, 0) <= 0) return std::nullopt;
  const ProcessEnd end = Reap(pidfd);
  Close(process.pid);
  return end;
}

}  // namespace ddl::agent
