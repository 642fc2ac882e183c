// Decides, at the daemon's start, which of the ranks found on disk still run: pure.
//
// A rank is its recorded process only if pid, start time and boot are the recorded ones. A pid that
// another process has taken since is never adopted and never signalled.
#pragma once

#include <vector>

#include "worker/agent/attempt.h"
#include "worker/agent/host.h"

namespace ddl::agent {

struct Adoption {
  HeldAttempts held;
  std::vector<RankKey> adopted;  // Running on.
  std::vector<RankKey> gone;     // Ended while no daemon watched; their spools may hold more.
};

// Attempts of which no rank ever ran are left out: they may be started again.
Adoption Adopt(const std::vector<FoundRank>& found, ProcessTable* processes);

// Whether `process` is alive now and is the one recorded.
bool IsAlive(const ProcessIdentity& process, ProcessTable* processes);

}  // namespace ddl::agent
