// A model of a host for tests of the agent's decisions: processes with pids that are reused, spools
// in memory, folders that outlive the daemon. It checks what a host relies on: a rank is started at
// most once, and no signal reaches a process that is not the rank's.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "worker/agent/host.h"

namespace ddl::agent {

class ModelHost : public ProcessTable, public RankHost, public SpoolSource {
 public:
  std::string BootId() override { return boot; }
  std::optional<uint64_t> StartTicks(int32_t pid) override {
    const auto found = processes.find(pid);
    if (found == processes.end()) return std::nullopt;
    return found->second;
  }

  absl::StatusOr<ProcessIdentity> StartRank(const v1::RankLaunch& launch) override {
    const RankKey key{{launch.run(), launch.epoch()}, launch.rank()};
    if (!fail_start.empty()) return absl::InternalError(fail_start);
    if (folders.contains(key) && folders[key].process) {
      return absl::AlreadyExistsError("was started before");
    }
    folders[key] = {key, launch, NewProcess()};
    ++starts[key];
    REQUIRE(starts[key] == 1);
    return *folders[key].process;
  }
  void Signal(const ProcessIdentity& process, StopSignal signal) override {
    const auto found = processes.find(process.pid);
    if (found == processes.end() || found->second != process.start_ticks) return;
    REQUIRE_FALSE(foreign.contains(process.pid));
    signals.emplace_back(process.pid, signal);
    if (signal == StopSignal::kKill) processes.erase(found);
  }
  std::optional<ProcessEnd> Ended(const ProcessIdentity& process) override {
    const auto found = processes.find(process.pid);
    if (found != processes.end() && found->second == process.start_ticks) return std::nullopt;
    return ProcessEnd{};
  }
  absl::StatusOr<uint32_t> FreePort(const std::string&) override { return 4242; }
  absl::StatusOr<std::vector<FoundRank>> FindRanks() override {
    std::vector<FoundRank> found;
    for (const auto& [key, rank] : folders) {
      if (!forgotten.contains(key.attempt)) found.push_back(rank);
    }
    return found;
  }
  void Forget(const AttemptKey& attempt) override { forgotten.insert(attempt); }
  absl::Status DeleteCheckpoint(const v1::CheckpointDeletion& deletion) override {
    deleted.insert(deletion.folder());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<v1::RankEvent>> Read(const RankKey& rank, uint64_t after_seq,
                                                  const ReadLimits& limits) override {
    std::vector<v1::RankEvent> events;
    for (const v1::RankEvent& event : spools[rank]) {
      if (event.seq() > after_seq && static_cast<int>(events.size()) < limits.events) {
        events.push_back(event);
      }
    }
    return events;
  }
  v1::RankEvent& Append(const RankKey& rank) {
    v1::RankEvent& event = spools[rank].emplace_back();
    event.set_seq(spools[rank].size());
    return event;
  }

  ProcessIdentity NewProcess() {
    const int32_t pid = next_pid++;
    processes[pid] = ++ticks;
    return {pid, ticks, boot};
  }
  bool Lives(const RankKey& rank) {
    const auto found = folders.find(rank);
    return found != folders.end() && found->second.process && !Ended(*found->second.process);
  }
  void Die(const RankKey& rank) { processes.erase(folders.at(rank).process->pid); }
  // Another program takes the pid of a rank that is gone.
  void ReusePid(const RankKey& rank) {
    const int32_t pid = folders.at(rank).process->pid;
    if (processes.contains(pid)) return;
    processes[pid] = ++ticks;
    foreign.insert(pid);
  }

  std::string boot = "boot-1";
  std::string fail_start;
  int32_t next_pid = 100;
  uint64_t ticks = 0;
  std::map<int32_t, uint64_t> processes;  // Start time by pid.
  std::set<int32_t> foreign;
  std::vector<std::pair<int32_t, StopSignal>> signals;
  std::map<RankKey, FoundRank> folders;
  std::map<RankKey, int> starts;
  std::set<AttemptKey> forgotten;
  std::set<std::string> deleted;
  std::map<RankKey, std::vector<v1::RankEvent>> spools;
};

}  // namespace ddl::agent
