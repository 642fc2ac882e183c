// Which window of the training text is sample number i: a function of (seed, i) alone, so that
// neither a restart nor another number of ranks changes what a step sees.
//
// Every epoch is a permutation of all windows: a Feistel network over the next power of four, with
// Philox as its round function, walked until it lands inside (Black and Rogaway, "Ciphers with
// arbitrary finite domains", 2002). It needs no memory for any number of windows.
#pragma once

#include <cstdint>

#include "worker/model/random_stream.h"

namespace ddl {

class SampleOrder {
 public:
  // windows >= 1.
  SampleOrder(uint64_t seed, int64_t windows);

  // In [0, windows). Samples k * windows .. (k + 1) * windows - 1 are all windows, once each.
  int64_t Window(int64_t sample) const;

 private:
  uint64_t Encrypt(uint64_t value, uint64_t epoch) const;

  RandomStream stream_;
  int64_t windows_;
  int half_bits_ = 1;
};

}  // namespace ddl
