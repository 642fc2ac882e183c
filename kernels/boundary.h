// The fused boundary between two sublayers, one kernel each way (ddl.md section 6): rewrite of the
// state by a sublayer's output h, compression of the new state to x, RMSNorm to c, and the next
// sublayer's gate and value heads. With update kNone it is the entry of a stream (no rewrite), and
// without heads its read-out.
//
// Shape letters: N tokens, n value channels, d width. State rows are (n, d): every channel is
// contiguous. Elements are T (float, double, Bf16); scalars, weights of norm and heads and all
// gradients of weights are Real<T>.
//
// Contract: n in {1, 2, 4, 8}, n = 1 for kAdditive; d a multiple of 8 from 32 to 4096; N from 1 to
// 2^31 - 1; every pointer aligned to 16 bytes except those of scalars and biases.
// Sums over tokens have a fixed order: the same call gives the same bits.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

enum class Update {
  kNone,       // Y = X
  kAdditive,   // Y = X + h
  kWriteOnly,  // Y = X + beta k v^T
  kDdl,        // Y = X + beta k (v^T - k^T X)
};

struct BoundaryShape {
  int64_t tokens = 0;  // N
  int64_t d = 0;
  int64_t n = 1;
  Update update = Update::kNone;
};

// Weights that the boundary reads. A null value_weight or gate_weight leaves that head out; so does
// a model whose gate has two layers, which runs beside the boundary.
template <typename R>
struct BoundaryWeights {
  const R* compressor = nullptr;    // w (n, d); null: x = Y, and n must be 1
  const R* gain = nullptr;          // g (d)
  const R* value_weight = nullptr;  // W_v (n, d)
  const R* value_bias = nullptr;    // (n)
  const R* gate_weight = nullptr;   // w_beta (d)
  const R* gate_bias = nullptr;     // (1)
  bool value_reads_c = false;       // v of c (the paper's text), else of x (the authors' code)
  R value_scale = 4;                // v = scale sigmoid(logit); 0: v = logit
};

// Traffic: reads (n + 1) d and writes (n + 1) d elements for each token.
template <typename T>
struct BoundaryForward {
  using R = Real<T>;
  BoundaryShape shape;
  double k_eps = 1e-5;       // k = h / sqrt(h.h + k_eps^2)
  double norm_eps = 1e-5;    // r = 1 / sqrt(x.x / d + norm_eps)
  const T* state = nullptr;  // X (N, n, d)
  const T* h = nullptr;      // (N, d); null with kNone
  const R* v = nullptr;      // (N, n); unread by kNone and kAdditive
  const R* beta = nullptr;   // (N); likewise
  BoundaryWeights<R> weights;

  T* next_state = nullptr;   // Y (N, n, d); may be `state`; unwritten by kNone
  T* c = nullptr;            // (N, d)
  R* inverse_rms = nullptr;  // r (N)
  R* h_norm = nullptr;       // sqrt(h.h + k_eps^2) (N); unwritten by kNone and kAdditive
  R* row = nullptr;          // D (N, n), what is written along k: v - k^T X, or v; likewise
  R* next_v = nullptr;       // (N, n); with a value head
  R* next_beta = nullptr;    // (N); with a gate
};

// Traffic: reads (2 n + 2) d and writes (n + 1) d elements for each token.
template <typename T>
struct BoundaryBackward {
  using R = Real<T>;
  BoundaryShape shape;
  const T* next_state = nullptr;    // Y as the forward wrote it; X with kNone
  const T* d_next_state = nullptr;  // (N, n, d); null: zero
  const T* d_c = nullptr;           // (N, d), without the heads' part
  const T* h = nullptr;             // as in the forward
  const R* v = nullptr;
  const R* beta = nullptr;
  const R* inverse_rms = nullptr;  // as the forward wrote them
  const R* h_norm = nullptr;
  const R* row = nullptr;
  BoundaryWeights<R> weights;         // of the heads that the forward ran
  const R* d_value_logits = nullptr;  // (N, n) of those heads; with a value head
  const R* d_gate_logit = nullptr;    // (N); with a gate

  T* d_state = nullptr;       // (N, n, d); may be `d_next_state`
  T* d_h = nullptr;           // (N, d); unwritten by kNone and kAdditive, whose d_h equals d_state
  R* d_v_logits = nullptr;    // (N, n) of the heads that made v; unwritten by kNone and kAdditive
  R* d_beta_logit = nullptr;  // (N); likewise

  // Added to. Null where the weight is; the others must be given.
  R* d_compressor = nullptr;
  R* d_gain = nullptr;
  R* d_value_weight = nullptr;
  R* d_value_bias = nullptr;
  R* d_gate_weight = nullptr;
  R* d_gate_bias = nullptr;

  R* workspace = nullptr;  // BoundaryWorkspace() values; unread by Cpu
  int64_t workspace_size = 0;
};

// Values of R that a backward boundary of this shape needs on the current GPU, for any N.
int64_t BoundaryWorkspace(int64_t d, int64_t n);

template <typename T>
Outcome CheckBoundary(const BoundaryForward<T>& call);
template <typename T>
Outcome CheckBoundary(const BoundaryBackward<T>& call);

template <typename T>
Outcome Launch(const BoundaryForward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const BoundaryBackward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const BoundaryForward<T>& call, Gpu place);
template <typename T>
Outcome Launch(const BoundaryBackward<T>& call, Gpu place);

}  // namespace ddl::kernels
