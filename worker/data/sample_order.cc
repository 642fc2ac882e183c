#include "worker/data/sample_order.h"

#include "common/check.h"

namespace ddl {
namespace {

constexpr uint64_t kFeistelRounds = 6;

}  // namespace

SampleOrder::SampleOrder(uint64_t seed, int64_t windows)
    : stream_(seed, "sample_order"), windows_(windows) {
  DDL_CHECK(windows >= 1 && windows < int64_t{1} << 48);
  while (int64_t{1} << (2 * half_bits_) < windows) ++half_bits_;
}

// Walks a permutation of [0, 4^half_bits_).
uint64_t SampleOrder::Encrypt(uint64_t value, uint64_t epoch) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_;
  uint64_t right = value & mask;
  for (uint64_t round = 0; round < kFeistelRounds; ++round) {
    // A position of the stream for each (epoch, round, right half): 32, 4 and 24 bits.
    const auto bits = stream_.At(epoch << 32 | round << 24 | right);
    const uint64_t mixed = left ^ (bits[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

int64_t SampleOrder::Window(int64_t sample) const {
  const auto epoch = static_cast<uint64_t>(sample / windows_);
  auto value = static_cast<uint64_t>(sample % windows_);
  do {
    value = Encrypt(value, epoch);
  } while (value >= static_cast<uint64_t>(windows_));
  return static_cast<int64_t>(value);
}

}  // namespace ddl
