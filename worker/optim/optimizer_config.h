// Which optimizer moves which weights, as plain numbers for files that see no LibTorch.
#pragma once

#include "worker/optim/adamw_config.h"
#include "worker/optim/muon_config.h"

namespace ddl {

struct OptimizerConfig {
  bool use_muon =
      false;  // On every matrix but the embedding, AdamW on the rest; else AdamW on all.
  AdamWConfig adamw;
  double adamw_peak = 1e-3;  // Learning rates that the schedule's factor scales.
  MuonConfig muon;
  double muon_peak = 0.024;
};

}  // namespace ddl
