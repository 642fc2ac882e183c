// A simulated machine: slots, processes, rank folders on its disk. It outlives the worker daemon
// that runs on it, and a reboot ends every process on it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/gang.h"
#include "tests/sim/storage.h"
#include "tests/sim/tally.h"
#include "worker/agent/host.h"

namespace ddl::sim {

// Gangs by attempt, over all hosts.
using Gangs = std::map<agent::AttemptKey, std::shared_ptr<Gang>>;

class Host : public agent::RankHost, public agent::ProcessTable, public agent::SpoolSource {
 public:
  Host(std::string name, std::function<std::shared_ptr<Gang>(const agent::AttemptKey&)> gang_of,
       Storage* storage, Tally* tally)
      : name_(std::move(name)), gang_of_(std::move(gang_of)), storage_(*storage), tally_(*tally) {}

  std::string BootId() override;
  std::optional<uint64_t> StartTicks(int32_t pid) override;
  absl::StatusOr<agent::ProcessIdentity> StartRank(const v1::RankLaunch& launch) override;
  void Signal(const agent::ProcessIdentity& process, agent::StopSignal signal) override;
  std::optional<agent::ProcessEnd> Ended(const agent::ProcessIdentity& process) override;
  absl::StatusOr<uint32_t> FreePort(const std::string& address) override;
  absl::StatusOr<std::vector<agent::FoundRank>> FindRanks() override;
  void Forget(const agent::AttemptKey& attempt) override;
  absl::Status DeleteCheckpoint(const v1::CheckpointDeletion& deletion) override;
  absl::StatusOr<std::vector<v1::RankEvent>> Read(const agent::RankKey& rank, uint64_t after_seq,
                                                  const agent::ReadLimits& limits) override;

  // Every process ends, and spools lose what was not synced.
  void Reboot();
  // Living processes, in order of start.
  std::vector<RankProcess*> Living();
  // Whether the next process cannot be started.
  std::function<bool()> launch_fails;
  // Asked before a checkpoint is deleted.
  std::function<void(const std::string& folder)> on_delete;

 private:
  RankProcess* FindProcess(const agent::ProcessIdentity& identity);

  std::string name_;
  std::function<std::shared_ptr<Gang>(const agent::AttemptKey&)> gang_of_;
  Storage& storage_;
  Tally& tally_;
  uint64_t boot_ = 1;
  int32_t last_pid_ = 1000;
  uint32_t last_port_ = 20'000;
  std::map<agent::RankKey, std::shared_ptr<RankProcess>> folders_;
};

}  // namespace ddl::sim
