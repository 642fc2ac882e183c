#include "worker/model/layout.h"

#include "absl/strings/str_cat.h"

namespace ddl {

std::string BlockPrefix(const ModelConfig& config, int64_t layer) {
  return absl::StrCat(config.seed_layout ? "transformer_blocks." : "transformer.h.", layer);
}

std::string SublayerPrefix(const ModelConfig& config, int64_t layer, Sublayer sublayer,
                           const std::string& family) {
  const bool attention = sublayer == Sublayer::kAttention;
  const std::string prefix = absl::StrCat(BlockPrefix(config, layer), ".");
  if (!config.seed_layout) return absl::StrCat(prefix, family, attention ? "_attn" : "_mlp");
  return absl::StrCat(prefix, family == "ddl" ? "ddr" : family, attention ? "1" : "2");
}

}  // namespace ddl
