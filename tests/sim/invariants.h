// What must hold after every event of a schedule, seen from outside the coordinator.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core/core.h"
#include "tests/sim/client.h"
#include "tests/sim/journal_disk.h"
#include "tests/sim/tally.h"
#include "worker/agent/attempt.h"

namespace ddl::sim {

class Invariants {
 public:
  Invariants(Tally* tally, JournalDisk* disk) : tally_(*tally), disk_(*disk) {}

  // After each change of memory.
  void OnChange(const coordinator::Core& core, const coordinator::Effects& effects);
  // After each commit: what is durable.
  void OnCommit(const coordinator::Core& core, const Client& client);
  // Acknowledgements that workers received.
  void Committed(const std::string& run, const std::string& folder);
  void Acknowledged(const agent::RankKey& rank, uint64_t seq);
  // When everything has ended.
  void AtEnd(const coordinator::Core& core, const Client& client);

 private:
  void CheckRun(const coordinator::State& state, const v1::RunRecord& run);
  void CheckSlots(const coordinator::State& state);
  void CheckAcknowledged(const coordinator::State& state, const Client& client);
  void CheckFinished(const v1::RunRecord& run);

  Tally& tally_;
  JournalDisk& disk_;
  std::map<std::string, uint64_t> durable_epochs_;
  std::set<std::pair<std::string, std::string>> committed_;  // (run, folder).
  std::map<agent::RankKey, uint64_t> acknowledged_;
  uint64_t commits_ = 0;
};

}  // namespace ddl::sim
