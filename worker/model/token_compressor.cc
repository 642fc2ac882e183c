#include "worker/model/token_compressor.h"

#include "absl/strings/str_cat.h"

namespace ddl {

TokenCompressor::TokenCompressor(const ModelConfig& config, const std::string& prefix,
                                 Parameters* parameters) {
  const int64_t n = config.residual.value_channels;
  const int64_t taps = config.residual.compress_kernel;
  const at::Tensor identity = at::zeros({config.d_model * n, taps}, at::kFloat);
  identity.select(1, taps - 1).fill_(1.0);
  kernel_ = parameters->Add(absl::StrCat(prefix, ".shortconv.weight"), identity);
  read_ = parameters->AddConstant(absl::StrCat(prefix, ".read"), {n}, 1.0 / static_cast<double>(n));
}

at::Tensor TokenCompressor::Compress(const at::Tensor& state) const {
  const int64_t tokens = state.size(1);
  const int64_t n = read_.size(0);
  const int64_t taps = kernel_.size(1);
  // (taps, n, d), laid out like the state.
  const at::Tensor weight =
      kernel_.view({-1, n, taps}).permute({2, 1, 0}).contiguous() * read_.view({n, 1});
  const at::Tensor padded = at::constant_pad_nd(state, {0, 0, 0, 0, taps - 1, 0});
  at::Tensor mixed = padded.narrow(1, 0, tokens) * weight.select(0, 0);
  for (int64_t tap = 1; tap < taps; ++tap) {
    mixed = at::addcmul(mixed, padded.narrow(1, tap, tokens), weight.select(0, tap));
  }
  return mixed.sum(2);
}

}  // namespace ddl
