// Settings of Muon as plain numbers, for files that see no LibTorch.
#pragma once

#include <cstdint>

namespace ddl {

inline constexpr int64_t kPolarSteps = 5;

struct MuonConfig {
  double momentum = 0.95;  // mu
  bool nesterov = true;
  int64_t polar_steps = kPolarSteps;
};

}  // namespace ddl
