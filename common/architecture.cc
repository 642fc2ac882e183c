#include "common/architecture.h"

namespace ddl {
namespace {

int64_t KeyHeads(const Architecture& a) { return a.n_kv_heads == 0 ? a.n_heads : a.n_kv_heads; }

int64_t CompressTaps(const Architecture& a) {
  return a.compress_kernel == 0 ? a.value_channels : a.compress_kernel;
}

int64_t MlpMatrices(const Architecture& a) { return a.swiglu ? 3 : 2; }

// Multiply-adds of one token in the forward pass, in the parts that the header's rule counts.

double AttentionProducts(const Architecture& a) {
  const double width = static_cast<double>(a.n_heads * a.head_dim);
  const double keys = static_cast<double>(KeyHeads(a) * a.head_dim);
  const double projections =  // q and output; k and v.
      2 * static_cast<double>(a.d_model) * (width + keys);
  // Scores and their average of values: (T + 1) / 2 keys on average, each H D products, twice.
  const double mixing = width * static_cast<double>(a.max_seq_len + 1);
  return projections + mixing;
}

double MlpProducts(const Architecture& a) {
  return static_cast<double>(MlpMatrices(a) * a.d_model * a.d_ff);
}

double CompressProducts(const Architecture& a) {  // x_i = sum_j w_ij X_ij with folded weights.
  if (a.value_channels == 1) return 0;
  const int64_t tokens = a.token_compress ? CompressTaps(a) : 1;
  return static_cast<double>(a.d_model * a.value_channels * tokens);
}

double GateProducts(const Architecture& a) {
  const double d = static_cast<double>(a.d_model);
  const double hidden = static_cast<double>(a.beta_hidden);
  return a.beta_hidden == 0 ? d : d * hidden + hidden;
}

// Width: n + 1 mixed rows of n streams. Depth: h into n streams. Dynamic: n + 2 rows for each
// stream.
double HyperProducts(const Architecture& a) {
  const int64_t n = a.streams;
  return static_cast<double>(a.d_model * (n * (n + 1) + n + (a.dynamic ? n * (n + 2) : 0)));
}

// One sublayer's gate, value head and update of the state.
double ResidualProducts(const Architecture& a) {
  const double state = static_cast<double>(a.d_model * a.value_channels);
  switch (a.residual) {
    case ResidualKind::kAdditive: return 0;  // Sums alone.
    case ResidualKind::kDdl: return GateProducts(a) + state /* v */ + state /* k^T X */ + state;
    case ResidualKind::kWriteOnly: return GateProducts(a) + state /* v */ + state;
    case ResidualKind::kSeedDeepDeltaRes: return GateProducts(a) + 3 * state;
    case ResidualKind::kSeedWriteOnly: return GateProducts(a) + 2 * state;
    case ResidualKind::kHyperConnections: return HyperProducts(a);
  }
  return 0;
}

double EmbeddingProducts(const Architecture& a) {  // Lookup is free; the convolution is not.
  return a.embed_conv ? static_cast<double>(a.d_model * a.value_channels * a.embed_conv_kernel) : 0;
}

// Kernel (d, taps) along the channels or (d n, taps) along the tokens, and read vector (n).
uint64_t CompressorParameters(const Architecture& a) {
  if (a.value_channels == 1) return 0;
  const int64_t rows = a.token_compress ? a.d_model * a.value_channels : a.d_model;
  return static_cast<uint64_t>(rows * CompressTaps(a) + a.value_channels);
}

uint64_t HyperParameters(const Architecture& a) {
  const int64_t n = a.streams;
  const int64_t fixed = n * (n + 1) + n;
  // Norm, W_alpha (d, n + 1), W_beta (d), two scales.
  const int64_t dynamic = a.d_model + a.d_model * (n + 2) + 2;
  return static_cast<uint64_t>(fixed + (a.dynamic ? dynamic : 0));
}

uint64_t SublayerResidualParameters(const Architecture& a) {
  if (a.residual == ResidualKind::kAdditive) return 0;
  if (a.residual == ResidualKind::kHyperConnections) return HyperParameters(a);
  const auto d = static_cast<uint64_t>(a.d_model);
  const auto n = static_cast<uint64_t>(a.value_channels);
  const auto hidden = static_cast<uint64_t>(a.beta_hidden);
  // The first layer of a two-layer gate has no bias; the last always has one.
  const uint64_t gate = hidden == 0 ? d + 1 : d * hidden + hidden + 1;
  return gate + d * n + n;
}

// Numbers of one token that one block keeps for its backward pass.
uint64_t BlockActivations(const Architecture& a) {
  const auto d = static_cast<uint64_t>(a.d_model);
  const auto width = static_cast<uint64_t>(a.n_heads * a.head_dim);
  const auto state = d * static_cast<uint64_t>(a.value_channels);
  const uint64_t attention = 3 * width                            // q, k, v as projected.
                             + (a.qk_norm ? 4 : 2) * width        // Rotated, and normalised.
                             + width                              // Averaged values.
                             + static_cast<uint64_t>(a.n_heads);  // Log-sums of the softmax.
  const uint64_t mlp = 4 * static_cast<uint64_t>(a.d_ff);         // Gate, up, silu(gate), product.
  // Of both sublayers: input, normalised input, its scaled form, the sublayer's output.
  uint64_t sublayers = 8 * d;
  if (a.residual == ResidualKind::kAdditive) return attention + mlp + sublayers;
  const auto n = static_cast<uint64_t>(a.value_channels);
  const auto hidden = static_cast<uint64_t>(a.beta_hidden);
  // Twice: direction k, state, its update, gate and value head.
  sublayers += 2 * (d + 2 * state + hidden + 2 + 4 * n);
  return attention + mlp + sublayers;
}

}  // namespace

uint64_t ParameterCount(const Architecture& a) {
  const auto d = static_cast<uint64_t>(a.d_model);
  const auto width = static_cast<uint64_t>(a.n_heads * a.head_dim);
  const auto keys = static_cast<uint64_t>(KeyHeads(a) * a.head_dim);
  const uint64_t attention =
      2 * d * (width + keys) + (a.qk_norm ? 2 * static_cast<uint64_t>(a.head_dim) : 0);
  const uint64_t mlp = d * static_cast<uint64_t>(MlpMatrices(a) * a.d_ff);
  const uint64_t norms = 2 * d;
  // Both sublayers of a block share one compressor.
  const uint64_t block =
      attention + mlp + norms + CompressorParameters(a) + 2 * SublayerResidualParameters(a);
  const uint64_t embedding = static_cast<uint64_t>(a.vocab_size) * d;
  const uint64_t convolution =
      a.embed_conv ? d * static_cast<uint64_t>(a.value_channels * a.embed_conv_kernel) : 0;
  const uint64_t read_out = CompressorParameters(a) + d;  // With the final norm.
  return embedding + convolution + static_cast<uint64_t>(a.n_layers) * block + read_out;
}

double ForwardFlopsPerToken(const Architecture& a) {
  const double block =
      AttentionProducts(a) + MlpProducts(a) + 2 * (CompressProducts(a) + ResidualProducts(a));
  const double head = static_cast<double>(a.d_model) * static_cast<double>(a.vocab_size);
  return 2 * (EmbeddingProducts(a) + static_cast<double>(a.n_layers) * block + CompressProducts(a) +
              head);
}

// Each product y = a b has two in its gradient, da = dy b and db = dy a; so has every term of the
// residual: k^T X and the rank-one update have q = k^T dY, dX, and the two sums of dk.
double BackwardFlopsPerToken(const Architecture& a) { return 2 * ForwardFlopsPerToken(a); }

double FlopsPerToken(const Architecture& a) {
  return ForwardFlopsPerToken(a) + BackwardFlopsPerToken(a);
}

MemoryEstimate EstimateMemory(const Architecture& a, int64_t micro_batch_sequences) {
  constexpr uint64_t kBytes = 4;
  const uint64_t tokens =
      static_cast<uint64_t>(micro_batch_sequences) * static_cast<uint64_t>(a.max_seq_len);
  const auto d = static_cast<uint64_t>(a.d_model);
  // Logits, their log-softmax and their gradient; the state and what the read-out keeps.
  const uint64_t ends =
      3 * static_cast<uint64_t>(a.vocab_size) + d * static_cast<uint64_t>(a.value_channels) + 3 * d;
  MemoryEstimate memory;
  memory.parameter_bytes = kBytes * ParameterCount(a);
  memory.gradient_bytes = memory.parameter_bytes;
  memory.optimizer_bytes = 2 * memory.parameter_bytes;
  memory.activation_bytes =
      kBytes * tokens * (static_cast<uint64_t>(a.n_layers) * BlockActivations(a) + ends);
  memory.total_bytes = memory.parameter_bytes + memory.gradient_bytes + memory.optimizer_bytes +
                       memory.activation_bytes;
  return memory;
}

}  // namespace ddl
