// Architecture of one model as plain numbers, so that torch code needs no protobuf. The spec is
// checked where it is resolved (common/spec_rules.h); nothing here is checked again.
#pragma once

#include <cstdint>
#include <string>

namespace ddl {

struct ResidualConfig {
  std::string kind = "ddl";
  int64_t value_channels = 1;  // n
  bool embed_conv = true;      // Only for n > 1.
  int64_t embed_conv_kernel = 4;
  double beta_init = 1.0;
  int64_t beta_hidden = 0;  // 0: a gate of one linear layer.
  double k_eps = 1e-5;
  double v_scale = 4.0;
  bool v_sigmoid = true;  // v = v_scale sigmoid(W x + b), else W x + b.
};

struct ModelConfig {
  int64_t d_model = 0;
  int64_t n_layers = 0;
  int64_t n_heads = 0;
  int64_t head_dim = 0;  // n_heads * head_dim may differ from d_model.
  int64_t d_ff = 0;
  int64_t vocab_size = 0;
  double rope_ratio = 1.0;
  double rope_base = 10000.0;
  bool qk_norm = true;
  double logit_scale = 1.0;
  ResidualConfig residual;
};

enum class Sublayer { kAttention = 0, kMlp = 1 };
inline constexpr int64_t kSublayers = 2;

}  // namespace ddl
