// The parts that gated residuals are built of: direction, gate, value head and embedding
// convolution (ddl.md section 2). n is the number of value channels.
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

// v = s sigmoid(W x + b), or W x + b, of x = x_in or c; (B,T,n).
class ValueHead {
 public:
  ValueHead(const ModelConfig& config, const std::string& prefix, Parameters* parameters);
  at::Tensor Value(const at::Tensor& x_in, const at::Tensor& c) const;

 private:
  at::Tensor weight_, bias_;
  bool sigmoid_;
  bool from_norm_;
  double scale_;
};

// What a gated residual keeps for one sublayer.
struct SublayerHeads {
  SublayerHeads(const ModelConfig& config, const std::string& prefix, Parameters* parameters)
      : gate(config, prefix, parameters), value(config, prefix, parameters) {}
  Gate gate;
  ValueHead value;
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
