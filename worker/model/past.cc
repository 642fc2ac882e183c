#include "worker/model/past.h"

#include <algorithm>

namespace ddl {
namespace {

int64_t EmbeddingLookback(const ResidualConfig& residual) {
  return residual.embed_conv ? residual.embed_conv_kernel - 1 : 0;
}

int64_t CompressLookback(const ResidualConfig& residual) {
  return residual.compress == "token" ? residual.compress_kernel - 1 : 0;
}

}  // namespace

at::Tensor TokenWindow::Extend(const at::Tensor& piece) {
  if (lookback_ == 0) return piece;
  const at::Tensor whole = kept_.defined() ? at::cat({kept_, piece}, 1) : piece;
  const int64_t keep = std::min(lookback_, whole.size(1));
  kept_ = whole.narrow(1, whole.size(1) - keep, keep).clone();
  return whole;
}

Past::Past(const ModelConfig& config)
    : attention(static_cast<size_t>(config.n_layers)),
      embedding(EmbeddingLookback(config.residual)),
      states(static_cast<size_t>(config.n_layers * kSublayers + 1),
             TokenWindow(CompressLookback(config.residual))) {}

}  // namespace ddl
