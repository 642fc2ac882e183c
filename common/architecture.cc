#include "common/architecture.h"

#include <numeric>

namespace ddl {
namespace {

constexpr uint64_t kNumberBytes = 4;

int64_t KeyHeads(const Architecture& a) { return a.n_kv_heads == 0 ? a.n_heads : a.n_kv_heads; }

int64_t CompressTaps(const Architecture& a) {
  return a.compress_kernel == 0 ? a.value_channels : a.compress_kernel;
}

// Weights of one kind; matrices are those with two axes.
struct Weights {
  int64_t matrices = 0;
  int64_t others = 0;
};

// One part of one block or of the ends: products are multiply-adds of one token forward, kept is
// what one token leaves for the backward pass.
struct Part {
  Weights weights;
  int64_t products = 0;
  int64_t kept = 0;
};

Part Attention(const Architecture& a) {
  const int64_t width = a.n_heads * a.head_dim;
  const int64_t keys = KeyHeads(a) * a.head_dim;
  Part part;
  part.weights = {.matrices = 2 * a.d_model * (width + keys),  // q and output; k and v.
                  .others = a.qk_norm ? 2 * a.head_dim : 0};
  // Scores and their average of values: (T + 1) / 2 keys on average, each H D products, twice.
  part.products = part.weights.matrices + width * (a.max_seq_len + 1);
  const bool grouped = keys != width;
  part.kept = (a.qk_norm ? 2 : 1) * (width + keys)  // Queries and keys rotated, and normalised.
              + keys + (grouped ? 2 * width : 0)    // Values; keys and values repeated for groups.
              + 2 * width + a.n_heads;              // Averages, joined; log-sums of the softmax.
  return part;
}

Part Mlp(const Architecture& a) {
  Part part;
  part.weights.matrices = (a.swiglu ? 3 : 2) * a.d_model * a.d_ff;
  part.products = part.weights.matrices;
  part.kept = (a.swiglu ? 4 : 2) * a.d_ff;  // Gate, up, silu(gate), product; relu and its square.
  return part;
}

Part Norms(const Architecture& a) {
  // Of both sublayers: input, normalised input, and the root mean square.
  return {.weights = {.others = 2 * a.d_model}, .kept = 2 * (2 * a.d_model + 1)};
}

Part Gate(const Architecture& a) {
  // The first layer of a two-layer gate has no bias; the last always has one.
  const int64_t matrices =
      a.beta_hidden == 0 ? a.d_model : a.d_model * a.beta_hidden + a.beta_hidden;
  return {.weights = {.matrices = matrices, .others = 1},
          .products = matrices,
          .kept = a.beta_hidden + 2};
}

// One use of a compressor; no weights, which the sublayers of a block share.
Part Compress(const Architecture& a) {
  if (a.value_channels == 1) return {};
  const int64_t state = a.d_model * a.value_channels;
  // x_i = sum_j w_ij X_ij with folded weights; along the tokens a weight for each tap.
  return {.products = state * (a.token_compress ? CompressTaps(a) : 1),
          .kept = a.token_compress ? state : 0};
}

// Kernel (d, taps) along the channels or (d n, taps) along the tokens, and read vector (n).
Weights CompressorWeights(const Architecture& a) {
  if (a.value_channels == 1) return {};
  const int64_t rows = a.token_compress ? a.d_model * a.value_channels : a.d_model;
  return {.matrices = rows * CompressTaps(a), .others = a.value_channels};
}

// Width: n + 1 mixed rows of n streams. Depth: h into n streams. Dynamic: n + 2 rows for each
// stream; a norm, W_alpha (d, n + 1), W_beta (d), two scales.
Part HyperSublayer(const Architecture& a) {
  const int64_t n = a.streams;
  const int64_t d = a.d_model;
  Part part;
  part.weights = {.matrices = n * (n + 1), .others = n};
  part.products = d * (n * (n + 1) + n);
  part.kept = d * (2 * n + 1) + n;  // The streams, and what they are mixed to.
  if (!a.dynamic) return part;
  part.weights.matrices += d * (n + 1);
  part.weights.others += 2 * d + 2;
  part.products += d * n * (n + 2);
  part.kept += d * n + 3 * n * (n + 2);
  return part;
}

// Gate, value head and update of the state of one sublayer, with the use of the compressor.
Part DeltaSublayer(const Architecture& a, int64_t state_products, int64_t kept_states) {
  const int64_t n = a.value_channels;
  const int64_t state = a.d_model * n;
  const Part gate = Gate(a);
  const Part compress = Compress(a);
  Part part;
  part.weights = {.matrices = gate.weights.matrices + state, .others = gate.weights.others + n};
  part.products = gate.products + state + state_products * state + compress.products;
  // The sublayer's output and its direction; the states; value head.
  part.kept = gate.kept + 2 * a.d_model + kept_states * state + 3 * n + compress.kept;
  return part;
}

Part ResidualSublayer(const Architecture& a) {
  switch (a.residual) {
    case ResidualKind::kAdditive: return {};  // Sums alone.
    case ResidualKind::kDdl: return DeltaSublayer(a, /*k^T X, update*/ 2, 1);
    case ResidualKind::kWriteOnly: return DeltaSublayer(a, 1, a.value_channels > 1 ? 1 : 0);
    case ResidualKind::kSeedDeepDeltaRes: return DeltaSublayer(a, 2, 4);
    case ResidualKind::kSeedWriteOnly: return DeltaSublayer(a, 1, 4);
    case ResidualKind::kHyperConnections: return HyperSublayer(a);
  }
  return {};
}

// All of a residual: `sublayers` sublayers, and per block and read-out a compressor.
Part Residual(const Architecture& a) {
  const int64_t sublayers = 2 * a.n_layers;
  const Part one = ResidualSublayer(a);
  const Weights compressor = CompressorWeights(a);
  const Part read_out = Compress(a);
  const int64_t convolution = a.embed_conv ? a.d_model * a.value_channels * a.embed_conv_kernel : 0;
  Part part;
  part.weights.matrices = sublayers * one.weights.matrices + (a.n_layers + 1) * compressor.matrices;
  part.weights.others =
      sublayers * one.weights.others + (a.n_layers + 1) * compressor.others + convolution;
  part.products = sublayers * one.products + read_out.products + convolution;
  part.kept = sublayers * one.kept + a.d_model * a.value_channels + read_out.kept;
  return part;
}

Part Repeated(const Part& part, int64_t times) {
  return {.weights = {times * part.weights.matrices, times * part.weights.others},
          .products = times * part.products,
          .kept = times * part.kept};
}

PartCost CostOf(absl::string_view name, const Part& part, bool use_muon) {
  const auto matrices = static_cast<uint64_t>(part.weights.matrices);
  const auto all = matrices + static_cast<uint64_t>(part.weights.others);
  PartCost cost;
  cost.name = std::string(name);
  cost.parameters = all;
  cost.forward_flops = 2 * static_cast<double>(part.products);
  cost.backward_flops = 2 * cost.forward_flops;
  cost.optimizer_numbers = 2 * all - (use_muon ? matrices : 0);
  cost.activation_numbers = static_cast<uint64_t>(part.kept);
  return cost;
}

}  // namespace

absl::string_view ResidualNote(ResidualKind kind) {
  switch (kind) {
    case ResidualKind::kSeedDeepDeltaRes:
      return "the seed's module as written there, not ddl: it multiplies the state where the paper "
             "adds to it";
    case ResidualKind::kSeedWriteOnly:
      return "the seed's module without its erase term, not write_only: it multiplies the state "
             "where the paper adds to it";
    case ResidualKind::kAdditive:
    case ResidualKind::kDdl:
    case ResidualKind::kWriteOnly:
    case ResidualKind::kHyperConnections: break;
  }
  return "";
}

std::vector<PartCost> CostByPart(const Architecture& a, bool use_muon) {
  Part norms = Repeated(Norms(a), a.n_layers);
  norms.weights.others += a.d_model;  // The final one.
  norms.kept += 2 * a.d_model + 1;
  // Lookup is free; the head shares the embedding's weights, a matrix that Muon leaves to AdamW.
  const Part embedding = {.weights = {.others = a.vocab_size * a.d_model}, .kept = a.d_model};
  // The log-softmax of the logits; the logits go, and their gradient comes before the others.
  const Part head = {.products = a.d_model * a.vocab_size, .kept = 2 * a.vocab_size};
  return {CostOf("embedding", embedding, use_muon),
          CostOf("attention", Repeated(Attention(a), a.n_layers), use_muon),
          CostOf("mlp", Repeated(Mlp(a), a.n_layers), use_muon),
          CostOf("norms", norms, use_muon),
          CostOf("residual", Residual(a), use_muon),
          CostOf("head", head, use_muon)};
}

uint64_t ParameterCount(const Architecture& a) {
  const std::vector<PartCost> parts = CostByPart(a);
  return std::accumulate(parts.begin(), parts.end(), uint64_t{0},
                         [](uint64_t sum, const PartCost& part) { return sum + part.parameters; });
}

double ForwardFlopsPerToken(const Architecture& a) {
  const std::vector<PartCost> parts = CostByPart(a);
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const PartCost& part) { return sum + part.forward_flops; });
}

// Each product y = a b has two in its gradient, da = dy b and db = dy a; so has every term of the
// residual: k^T X and the rank-one update have q = k^T dY, dX, and the two sums of dk.
double BackwardFlopsPerToken(const Architecture& a) { return 2 * ForwardFlopsPerToken(a); }

double FlopsPerToken(const Architecture& a) {
  return ForwardFlopsPerToken(a) + BackwardFlopsPerToken(a);
}

MemoryEstimate PartMemory(const PartCost& part, int64_t tokens) {
  MemoryEstimate memory;
  memory.parameter_bytes = kNumberBytes * part.parameters;
  memory.gradient_bytes = memory.parameter_bytes;
  memory.optimizer_bytes = kNumberBytes * part.optimizer_numbers;
  memory.activation_bytes = kNumberBytes * static_cast<uint64_t>(tokens) * part.activation_numbers;
  memory.total_bytes = memory.parameter_bytes + memory.gradient_bytes + memory.optimizer_bytes +
                       memory.activation_bytes;
  return memory;
}

MemoryEstimate EstimateMemory(const Architecture& a, int64_t micro_batch_sequences, bool use_muon) {
  MemoryEstimate sum;
  for (const PartCost& part : CostByPart(a, use_muon)) {
    const MemoryEstimate one = PartMemory(part, micro_batch_sequences * a.max_seq_len);
    sum.parameter_bytes += one.parameter_bytes;
    sum.gradient_bytes += one.gradient_bytes;
    sum.optimizer_bytes += one.optimizer_bytes;
    sum.activation_bytes += one.activation_bytes;
    sum.total_bytes += one.total_bytes;
  }
  return sum;
}

}  // namespace ddl
