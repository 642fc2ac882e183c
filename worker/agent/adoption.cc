#include "worker/agent/adoption.h"

#include <string>

namespace ddl::agent {

bool IsAlive(const ProcessIdentity& process, ProcessTable* processes) {
  return process.pid > 0 && process.boot_id == processes->BootId() &&
         processes->StartTicks(process.pid) == process.start_ticks;
}

Adoption Adopt(const std::vector<FoundRank>& found, ProcessTable* processes) {
  Adoption result;
  for (const FoundRank& rank : found) {
    if (!rank.process) continue;
    HeldAttempt& attempt = result.held[rank.key.attempt];
    attempt.world_size = rank.launch.world_size();
    attempt.rendezvous_host = rank.launch.rendezvous_host();
    attempt.rendezvous_port = rank.launch.rendezvous_port();
    HeldRank& held = attempt.ranks[rank.key.rank];
    held.slot = rank.launch.slot();
    held.process = *rank.process;
    held.gone = !IsAlive(*rank.process, processes);
    (held.gone ? result.gone : result.adopted).push_back(rank.key);
  }
  return result;
}

}  // namespace ddl::agent
