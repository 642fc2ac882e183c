// Architecture of one model as plain numbers, so that torch code needs no protobuf. The spec is
// checked where it is resolved (common/spec_rules.h); nothing here is checked again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ddl {

struct ResidualConfig {
  std::string kind = "ddl";
  int64_t value_channels = 1;  // n
  // "channel", "token", or "none" for a scalar state, which is its own input. A compressor may
  // stand over a single channel.
  std::string compress = "none";
  int64_t compress_kernel = 1;
  bool embed_conv = false;
  int64_t embed_conv_kernel = 4;
  double beta_init = 1.0;
  int64_t beta_hidden = 0;  // 0: a gate of one linear layer.
  double k_eps = 1e-5;
  double v_scale = 4.0;
  bool v_sigmoid = true;     // v = v_scale sigmoid(W x + b), else W x + b.
  bool v_from_norm = false;  // x is c, else x_in.
  int64_t streams = 4;       // Of hyper_connections.
  bool dynamic = true;       // Of hyper_connections.
};

struct ModelConfig {
  bool seed_layout = false;  // Names and storage of the seed's backbone, else the paper's.
  int64_t d_model = 0;
  int64_t n_layers = 0;
  int64_t n_heads = 0;
  int64_t n_kv_heads = 0;  // Divides n_heads; 0: n_heads.
  int64_t head_dim = 0;    // n_heads * head_dim may differ from d_model in the paper's layout.
  int64_t d_ff = 0;
  int64_t vocab_size = 0;
  bool squared_relu = false;  // Else SwiGLU.
  double rope_ratio = 1.0;
  double rope_base = 10000.0;
  bool interleaved_pairs = false;  // Pairs (2i, 2i + 1) turn, else (i, i + R/2).
  bool qk_norm = true;
  bool qk_norm_first = false;  // Before the rotation, else after it.
  double norm_eps = 1e-5;
  double embed_scale = 1.0;
  double logit_scale = 1.0;
  ResidualConfig residual;
};

enum class Sublayer { kAttention = 0, kMlp = 1 };
inline constexpr int64_t kSublayers = 2;

// The place of a sublayer in lists that have one entry for each, in the order in which they run.
constexpr size_t SublayerIndex(int64_t layer, Sublayer sublayer) {
  return static_cast<size_t>(layer * kSublayers + static_cast<int64_t>(sublayer));
}

}  // namespace ddl
