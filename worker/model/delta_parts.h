// The parts that gated residuals are built of: direction, gate, value head, channel compressor and
// embedding convolution (ddl.md section 2). n is the number of value channels.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "worker/model/model_config.h"
#include "worker/model/parameters.h"

namespace ddl {

// k = h / sqrt(||h||^2 + k_eps^2) over the last axis.
at::Tensor Direction(const at::Tensor& h, double k_eps);

// beta = 2 sigmoid(logit(c)), in (0, 2), (B,T,1); one linear layer, or two with tanh between.
class Gate {
 public:
  Gate(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Beta(const at::Tensor& c) const;

 private:
  at::Tensor hidden_;  // Undefined for one layer.
  at::Tensor weight_, bias_;
};

// v = s sigmoid(W x_in + b), or W x_in + b; (B,T,n).
class ValueHead {
 public:
  ValueHead(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Value(const at::Tensor& x_in) const;

 private:
  at::Tensor weight_, bias_;
  bool sigmoid_;
  double scale_;
};

// CC: a non-causal convolution of n taps along the channels with a kernel for each feature, left
// pad (n - 1) / 2, then a read vector. It is linear in the state, so it folds to one weight (n, d).
class ChannelCompressor {
 public:
  ChannelCompressor(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor EffectiveWeight() const;                  // (n, d)
  at::Tensor Compress(const at::Tensor& state) const;  // (B,T,n,d) -> (B,T,d)

 private:
  at::Tensor kernel_;     // (d, taps)
  at::Tensor read_;       // (n)
  at::Tensor placement_;  // (n, taps * n): puts read_[j] where tap s of output j meets channel m.
};

// EC: depthwise causal convolution over T from d to n d channels; X_0 of the embedding.
class EmbeddingConvolution {
 public:
  EmbeddingConvolution(const ModelConfig& config, const std::string& prefix,
                       Parameters* parameters);
  at::Tensor Expand(const at::Tensor& embedding) const;  // (B,T,d) -> (B,T,n,d)

 private:
  at::Tensor weight_;  // (d n, 1, taps); output channel i n + j is channel j of feature i.
  int64_t channels_;
};

}  // namespace ddl
