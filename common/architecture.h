// Cost of a model from its shapes alone: parameters, floating-point operations, memory.
//
// Plain numbers, so that ranks, CLI and coordinator share them; neither protobuf nor LibTorch.
// Letters: d model width, L layers, H heads, D head width, f MLP width, V vocabulary, T sequence,
// n value channels or streams, s embedding-convolution taps, G key and value heads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ddl {

enum class ResidualKind {
  kAdditive,
  kDdl,
  kWriteOnly,
  kSeedDeepDeltaRes,
  kSeedWriteOnly,
  kHyperConnections
};

// What readers of a residual's results must know, empty for most: the seed's module is not the
// paper's update, although it is named after it.
absl::string_view ResidualNote(ResidualKind kind);

struct Architecture {
  int64_t d_model = 0;
  int64_t n_layers = 0;
  int64_t n_heads = 0;
  int64_t head_dim = 0;
  int64_t d_ff = 0;
  int64_t max_seq_len = 0;
  int64_t vocab_size = 0;
  bool qk_norm = true;
  ResidualKind residual = ResidualKind::kAdditive;
  int64_t value_channels = 1;     // n; 1 for kAdditive.
  bool embed_conv = false;        // Only for n > 1.
  int64_t embed_conv_kernel = 0;  // s.
  int64_t beta_hidden = 0;        // Hidden width of the gate; 0: one linear layer.
  int64_t n_kv_heads = 0;         // G; 0: n_heads.
  bool swiglu = true;             // Else squared ReLU, which has no gate matrix.
  bool token_compress = false;    // Else the compressor runs along the channels; only for n > 1.
  int64_t compress_kernel = 0;    // Taps of the compressor; 0: n.
  int64_t streams = 0;            // Of kHyperConnections.
  bool dynamic = false;           // Of kHyperConnections.
};

// What one part of a model costs over all layers.
struct PartCost {
  std::string name;  // embedding, attention, mlp, norms, residual, head.
  uint64_t parameters = 0;
  double forward_flops = 0;  // Of one token.
  double backward_flops = 0;
  uint64_t optimizer_numbers = 0;   // Two moments, or Muon's one for a matrix.
  uint64_t activation_numbers = 0;  // Of one token, kept for the backward pass.
};
// In that order. The residual has all that it adds to a plain block: gates, value heads,
// compressors, embedding convolution, and the update of the state.
std::vector<PartCost> CostByPart(const Architecture& a, bool use_muon = false);

// Trained numbers; the head shares the embedding's.
uint64_t ParameterCount(const Architecture& a);

// Of one token of a training sequence of max_seq_len. A multiplication and an addition are two
// operations; norms, activations, softmax and rotations are left out, as is usual. Attention counts
// the causal half. The backward pass is twice the forward.
double ForwardFlopsPerToken(const Architecture& a);
double BackwardFlopsPerToken(const Architecture& a);
double FlopsPerToken(const Architecture& a);  // Forward and backward.

// Bytes that one rank needs in fp32 for micro batches of `micro_batch_sequences`.
struct MemoryEstimate {
  uint64_t parameter_bytes = 0;
  uint64_t gradient_bytes = 0;
  uint64_t optimizer_bytes = 0;
  uint64_t activation_bytes = 0;  // Kept for the backward pass, the logits among them.
  uint64_t total_bytes = 0;
};
MemoryEstimate EstimateMemory(const Architecture& a, int64_t micro_batch_sequences,
                              bool use_muon = false);
// Of one part, for micro batches of `tokens` tokens.
MemoryEstimate PartMemory(const PartCost& part, int64_t tokens);

}  // namespace ddl
