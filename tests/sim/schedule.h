// One schedule: a cluster, people, faults, and then peace until everything has ended. The seed
// decides all of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/sim/tally.h"

namespace ddl::sim {

inline constexpr uint64_t kFewestOfLarge = 40;  // Workers of a large cluster.

struct Outcome {
  std::string broken;  // Empty: every invariant held.
  uint64_t events = 0;
  uint64_t workers = 0;
  std::string trace;  // 64 hex digits.
  std::map<int, uint64_t> faults;
  std::map<coordinator::Transition, uint64_t> transitions;
};

Outcome RunSchedule(uint64_t seed);

std::string Name(Fault fault);

}  // namespace ddl::sim
