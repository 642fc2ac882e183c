// The agent's host, for real: run folders on disk, processes of this kernel, sockets for free
// ports.
#pragma once

#include <string>
#include <vector>

#include "worker/agent/host.h"
#include "worker/agent/linux_processes.h"
#include "worker/agent/run_folders.h"

namespace ddl::agent {

class LinuxHost : public RankHost {
 public:
  // `rank_program` is the absolute path of ddl-rank; `log_format` is text or json. The others must
  // outlive this.
  LinuxHost(std::string rank_program, std::string log_format, const RunFolders* folders,
            LinuxProcesses* processes)
      : rank_program_(std::move(rank_program)),
        log_format_(std::move(log_format)),
        folders_(*folders),
        processes_(*processes) {}

  absl::StatusOr<ProcessIdentity> StartRank(const v1::RankLaunch& launch) override;
  void Signal(const ProcessIdentity& process, StopSignal signal) override {
    processes_.Signal(process, signal);
  }
  std::optional<ProcessEnd> Ended(const ProcessIdentity& process) override {
    return processes_.Ended(process);
  }
  absl::StatusOr<uint32_t> FreePort(const std::string& address) override;
  absl::StatusOr<std::vector<FoundRank>> FindRanks() override;
  void Forget(const AttemptKey& attempt) override;
  absl::Status DeleteCheckpoint(const v1::CheckpointDeletion& deletion) override {
    return folders_.DeleteCheckpoint(deletion);
  }

 private:
  std::string rank_program_;
  std::string log_format_;
  const RunFolders& folders_;
  LinuxProcesses& processes_;
};

}  // namespace ddl::agent
