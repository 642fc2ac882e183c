#include "worker/agent/backoff.h"

#include <algorithm>

namespace ddl::agent {
namespace {

// In [0, 1).
double Fraction(uint64_t random) { return static_cast<double>(random >> 11) * 0x1p-53; }

}  // namespace

absl::Duration Backoff::Next(uint64_t random) {
  const absl::Duration delay = ceiling_ * Fraction(random);
  ceiling_ = std::min(kCap, ceiling_ * kFactor);
  return delay;
}

absl::Duration Jittered(absl::Duration period, uint64_t random) {
  return period * (0.8 + 0.4 * Fraction(random));
}

}  // namespace ddl::agent
