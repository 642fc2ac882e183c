// The simulator's randomness: one sequence for each seed, the same on every compiler.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace ddl::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {  // splitmix64.
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t Below(uint64_t limit) { return Bits() % limit; }  // limit >= 1.
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  bool Chance(uint64_t per_thousand) { return Below(1000) < per_thousand; }
  absl::Duration Millis(uint64_t low, uint64_t high) {
    return absl::Milliseconds(static_cast<int64_t>(Between(low, high)));
  }

 private:
  uint64_t state_;
};

}  // namespace ddl::sim
