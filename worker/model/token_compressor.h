// TC of ddl.md section 2: a depthwise causal convolution over T on all d n channels, then a read
// vector. Linear in the state: tap s of channel j folds with read[j] to one weight (taps, n, d).
#pragma once

#include <string>

#include "worker/model/compressor.h"

namespace ddl {

class TokenCompressor final : public Compressor {
 public:
  // The kernel starts as the identity (last tap 1) and the read vector as the mean.
  TokenCompressor(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Compress(const at::Tensor& state) const override;

 private:
  at::Tensor kernel_;  // (d n, taps); row i n + j is channel j of feature i.
  at::Tensor read_;    // (n)
};

}  // namespace ddl
