// Settings of AdamW as plain numbers, for files that see no LibTorch.
#pragma once

namespace ddl {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;  // Of every weight.
};

}  // namespace ddl
