#include "worker/model/channel_compressor.h"

#include "absl/strings/str_cat.h"

namespace ddl {

ChannelCompressor::ChannelCompressor(const ModelConfig& config, const std::string& prefix,
                                     Parameters* parameters) {
  const int64_t n = config.residual.value_channels;
  const int64_t taps = config.residual.compress_kernel;
  const int64_t left = (taps - 1) / 2;
  kernel_ = parameters->AddConstant(absl::StrCat(prefix, ".weight"), {config.d_model, taps},
                                    1.0 / static_cast<double>(taps));
  read_ = parameters->AddConstant(absl::StrCat(prefix, ".read"), {n}, 1.0 / static_cast<double>(n));
  placement_ = at::zeros({n, taps, n}, at::kFloat);
  for (int64_t output = 0; output < n; ++output) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t input = output + tap - left;
      if (input >= 0 && input < n) placement_.index_put_({output, tap, input}, at::ones({}));
    }
  }
  placement_ = placement_.view({n, taps * n});
}

at::Tensor ChannelCompressor::EffectiveWeight() const {
  const int64_t n = read_.size(0);
  const at::Tensor placement = placement_.to(read_.options());
  const at::Tensor mixing = at::matmul(read_, placement).view({kernel_.size(1), n});
  return at::matmul(kernel_, mixing).t().contiguous();  // Laid out like the state.
}

at::Tensor ChannelCompressor::Compress(const at::Tensor& state) const {
  return (state * EffectiveWeight()).sum(2);
}

}  // namespace ddl
