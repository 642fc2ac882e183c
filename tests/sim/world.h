// All parts of one schedule, and the faults that befall them.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/client.h"
#include "tests/sim/coordinator_node.h"
#include "tests/sim/invariants.h"
#include "tests/sim/network.h"
#include "tests/sim/schedule.h"
#include "tests/sim/worker_node.h"

namespace ddl::sim {

// Numbers of this process's current schedule, for a message when the code under test aborts.
struct Progress {
  volatile uint64_t seed = 0;
  volatile uint64_t event = 0;
};
Progress& CurrentProgress();

class World {
 public:
  explicit World(uint64_t seed);
  Outcome Run();

 private:
  void BuildWorkers();
  void PlanFaults();
  void InjectFault();
  void KillARank();
  void FailARank(Fault fault);
  void CutLink();
  void CrashCoordinator();
  void RestartWorker(bool reboot);
  void FillDisk();
  void CorruptCheckpoint();
  bool Step();
  void MakePeace();
  bool HasEnded();
  RankProcess* PickLiving();
  void CheckDeletion(const std::string& folder);

  Random random_;
  EventQueue queue_;
  Tally tally_;
  Storage storage_;
  Gangs gangs_;
  Network network_;
  CoordinatorNode coordinator_;
  Client client_;
  Invariants invariants_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  uint32_t slots_ = 0;
  bool rough_ = true;  // Until peace.
  uint64_t faults_injected_ = 0;
};

}  // namespace ddl::sim
