// How a state of n channels becomes the input of a sublayer: the seam between the residuals of
// delta updates and their compressors.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "worker/model/model_config.h"
#include "worker/model/parameters.h"

namespace ddl {

class Compressor {
 public:
  virtual ~Compressor() = default;
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  virtual at::Tensor Compress(const at::Tensor& state) const = 0;  // (B,T,n,d) -> (B,T,d)
};

// Makes the compressor that config.residual.compress names; null for "none".
std::unique_ptr<Compressor> MakeCompressor(const ModelConfig& config, const std::string& prefix,
                                           Parameters* parameters);

}  // namespace ddl
