// The queue as people ask about it: in which order runs wait, for what, and who holds it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/core/state.h"

namespace ddl::coordinator {

struct Waiting {
  std::string run;
  uint32_t position = 0;  // From 1, over all pools.
  std::string why;        // "waits for 2 slots in pool default: 1 free, run X holds 1".
};

// Every run in QUEUED, in the order in which they would be placed; then those in BACKOFF.
std::vector<Waiting> ExplainQueue(const State& state);

}  // namespace ddl::coordinator
