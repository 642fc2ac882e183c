// Modelled rank processes: they restore, step together, write checkpoints, fail and exit, and
// append to their spools what a real rank would.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/launch.pb.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/random.h"
#include "tests/sim/storage.h"
#include "tests/sim/tally.h"
#include "worker/agent/attempt.h"

namespace ddl::sim {

// One rank's process, and what is left of it. The host owns it; the gang makes it act.
struct RankProcess {
  agent::RankKey key;
  v1::RankLaunch launch;
  agent::ProcessIdentity identity;
  bool alive = true;
  bool started = false;   // It has restored and reported so.
  bool draining = false;  // SIGTERM came.
  bool hung = false;
  agent::ProcessEnd end;
  std::vector<v1::RankEvent> spool;
  size_t synced = 0;  // Events of the spool that survive a power cut.
};

// All processes of one attempt, wherever they run.
class Gang {
 public:
  Gang(EventQueue* queue, Random* random, Tally* tally, Storage* storage, const bool* rough);

  // A process of the attempt begins.
  static void Join(const std::shared_ptr<Gang>& gang, const std::shared_ptr<RankProcess>& process);
  // The process dies without an exit record.
  static void Kill(RankProcess* process, int signal);
  // The process records an exit and dies.
  void Exit(RankProcess* process, v1::ExitClass exit_class, int code, const std::string& message);

  int64_t step() const { return step_; }
  const std::map<uint32_t, std::shared_ptr<RankProcess>>& ranks() const { return ranks_; }

 private:
  void Restore(RankProcess* process);
  void Step(const std::shared_ptr<Gang>& self);
  void Checkpoint(RankProcess* zero, bool final);
  void ExitAll(v1::ExitClass exit_class, int code, const std::string& message);
  bool AllRun() const;
  v1::RankEvent* Append(RankProcess* process);
  int64_t TotalSteps(const RankProcess& process) const;

  EventQueue& queue_;
  Random& random_;
  Tally& tally_;
  Storage& storage_;
  const bool& rough_;  // Ranks fail by themselves.
  std::map<uint32_t, std::shared_ptr<RankProcess>> ranks_;
  int64_t step_ = 0;
};

}  // namespace ddl::sim
