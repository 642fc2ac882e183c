// Names of a model's weights: those of the paper's code, or of the seed's.
#pragma once

#include <cstdint>
#include <string>

#include "worker/model/model_config.h"

namespace ddl {

// "transformer.h.<layer>", or "transformer_blocks.<layer>".
std::string BlockPrefix(const ModelConfig& config, int64_t layer);

// Prefix of what a residual keeps for one sublayer: "<block>.<family>_attn" and
// "<block>.<family>_mlp" in the paper's layout, "<block>.<family>1" and "<block>.<family>2" in the
// seed's, where family "ddl" is called "ddr".
std::string SublayerPrefix(const ModelConfig& config, int64_t layer, Sublayer sublayer,
                           const std::string& family);

}  // namespace ddl
