// Delays between tries: exponential with full jitter. Pure; the caller brings the randomness.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace ddl::agent {

class Backoff {
 public:
  // The next delay: uniform in [0, min(cap, 250 ms * 1.6^tries)], from 64 random bits.
  absl::Duration Next(uint64_t random);
  void Reset() { ceiling_ = kFirst; }
  // The largest value that Next can return.
  absl::Duration ceiling() const { return ceiling_; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(250);
  static constexpr absl::Duration kCap = absl::Seconds(5);
  static constexpr double kFactor = 1.6;
  absl::Duration ceiling_ = kFirst;
};

// `period` with 20 % jitter either way.
absl::Duration Jittered(absl::Duration period, uint64_t random);

}  // namespace ddl::agent
