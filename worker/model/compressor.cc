#include "worker/model/compressor.h"

#include "common/check.h"
#include "worker/model/channel_compressor.h"
#include "worker/model/token_compressor.h"

namespace ddl {

std::unique_ptr<Compressor> MakeCompressor(const ModelConfig& config, const std::string& prefix,
                                           Parameters* parameters) {
  const std::string& kind = config.residual.compress;
  if (kind == "channel") return std::make_unique<ChannelCompressor>(config, prefix, parameters);
  if (kind == "token") return std::make_unique<TokenCompressor>(config, prefix, parameters);
  DDL_CHECK(kind == "none");
  DDL_CHECK(config.residual.value_channels == 1);
  return nullptr;
}

}  // namespace ddl
