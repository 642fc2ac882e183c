// CC of ddl.md section 2: a length-preserving, non-causal convolution along the channels with a
// kernel for each feature, left pad (taps - 1) / 2, then a read vector. It is linear in the state,
// so it folds to one weight (n, d).
#pragma once

#include <string>

#include "worker/model/compressor.h"

namespace ddl {

class ChannelCompressor final : public Compressor {
 public:
  ChannelCompressor(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor EffectiveWeight() const;  // (n, d)
  at::Tensor Compress(const at::Tensor& state) const override;

 private:
  at::Tensor kernel_;     // (d, taps)
  at::Tensor read_;       // (n)
  at::Tensor placement_;  // (n, taps * n): puts read_[j] where tap s of output j meets channel m.
};

}  // namespace ddl
