// Every residual on both backbones, small or at a chosen size: what tests that hold for all of them
// go through.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/architecture.h"
#include "worker/model/model_config.h"

namespace ddl {

struct SizedModel {
  std::string name;  // "paper ddl/4/token".
  ModelConfig config;
  Architecture architecture;  // Of the same shapes.
};

struct ModelSize {
  int64_t d_model = 32;
  int64_t n_layers = 2;
  int64_t n_heads = 4;
  int64_t d_ff = 72;
  int64_t vocab_size = 61;
  int64_t tokens = 16;
};

std::vector<SizedModel> SizedModels(const ModelSize& size = {});

}  // namespace ddl
