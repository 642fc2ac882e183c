// The simulated shared storage of checkpoints: folders with the step they hold.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace ddl::sim {

struct StoredCheckpoint {
  int64_t step = 0;
  bool corrupt = false;
};

struct Storage {
  std::map<std::string, StoredCheckpoint> folders;
};

}  // namespace ddl::sim
