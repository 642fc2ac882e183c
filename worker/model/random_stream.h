// Counter-based random numbers: the stream of a tensor is a function of (seed, name) alone, so that
// models that differ in one part share the initial values of all other parts.
//
// Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011);
// the key is taken from SHA-256 of recipe version, seed and name; normal values by Box and Muller.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ddl {

// Of initialisation and sample order. Any change to what a seed means raises it.
inline constexpr uint32_t kRecipeVersion = 1;

std::array<uint32_t, 4> Philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key);

class RandomStream {
 public:
  RandomStream(uint64_t seed, absl::string_view name);

  // 128 bits at position `index` of the stream.
  std::array<uint32_t, 4> At(uint64_t index) const;

  // Values 0 .. count - 1 of the stream as N(0, deviation).
  void FillNormal(float* values, int64_t count, double deviation) const;

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 2> high_counter_;
};

}  // namespace ddl
