// Processes as Linux shows them: /proc for start times, pidfds for signals and ends.
//
// A pidfd names one process for ever, so no signal can reach a later process with the same pid.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/agent/host.h"

namespace ddl::agent {

class LinuxProcesses : public ProcessTable {
 public:
  LinuxProcesses();
  ~LinuxProcesses() override;
  LinuxProcesses(const LinuxProcesses&) = delete;
  LinuxProcesses& operator=(const LinuxProcesses&) = delete;

  std::string BootId() override { return boot_id_; }
  std::optional<uint64_t> StartTicks(int32_t pid) override;

  // As RankHost says. The first call for a process opens its pidfd.
  void Signal(const ProcessIdentity& process, StopSignal signal);
  std::optional<ProcessEnd> Ended(const ProcessIdentity& process);

 private:
  // The pidfd of a process that lives or has not been reaped; -1 when it is gone.
  int Watch(const ProcessIdentity& process);
  void Close(int32_t pid);

  struct Watched {
    ProcessIdentity process;
    int pidfd = -1;
  };
  std::string boot_id_;
  std::map<int32_t, Watched> watched_;  // By pid; only processes not known to have ended.
};

// State letter and start time of a line of /proc/PID/stat, whose second field may hold spaces and
// parentheses.
struct ProcessStat {
  char state = '?';
  uint64_t start_ticks = 0;
};
std::optional<ProcessStat> ParseProcessStat(const std::string& line);

}  // namespace ddl::agent
