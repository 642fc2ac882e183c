// A whole residual stream without a backbone: embedding, sublayers and read-out, each residual of
// ddl.md section 3 end to end, with the gradient of every weight. The sublayers are h = tanh(M c),
// small and bent, so that every path of the gradient carries something.
#pragma once

#include <map>
#include <string>

#include "kernels/reference/compress.h"
#include "kernels/reference/rewrite.h"
#include "kernels/reference/vector.h"

namespace ddl::kernels::reference {

struct ChainConfig {
  RewriteKind kind = RewriteKind::kDdl;
  bool hyper_connections = false;  // Then `kind` is unread and n is the number of streams.
  bool dynamic = true;             // Of hyper-connections.
  int64_t n = 1;
  int64_t d = 5;
  int64_t tokens = 6;     // T
  int64_t sequences = 2;  // B
  int64_t sublayers = 3;
  Compressor::Kind compressor = Compressor::Kind::kNone;
  int64_t compressor_taps = 1;
  int64_t embedding_taps = 0;  // 0: the embedding is repeated.
  int64_t gate_hidden = 0;     // 0: a gate of one layer.
  double v_scale = 4.0;        // 0: linear v.
  bool v_from_c = false;       // v of the normalised c instead of x_in.
  double k_eps = 1e-5;
  double norm_eps = 1e-5;
};

// All weights by name, "embedding" (N, d) among them; scalars are vectors of one element.
using Weights = std::map<std::string, Vector>;

// The names and sizes that a chain needs, filled with `fill(name, index)`.
template <typename Fill>
Weights MakeWeights(const ChainConfig& config, const Fill& fill);
// Sizes alone.
std::map<std::string, int64_t> WeightSizes(const ChainConfig& config);

// The normalised read-out (N, d).
Vector RunChain(const ChainConfig& config, const Weights& weights);
// Gradients of every weight, given that of the read-out.
Weights RunChainBackward(const ChainConfig& config, const Weights& weights, const Vector& d_out);

template <typename Fill>
Weights MakeWeights(const ChainConfig& config, const Fill& fill) {
  Weights weights;
  for (const auto& [name, size] : WeightSizes(config)) {
    Vector& values = weights[name];
    for (int64_t i = 0; i < size; ++i) values.push_back(fill(name, i));
  }
  return weights;
}

}  // namespace ddl::kernels::reference
