// Queries and keys on their way into attention: rotary positions and a learned RMSNorm of each
// head, one kernel each way.
//
// N tokens, H query heads and K key heads of D features each. A row of `in` is one token's merged
// product: H D queries, K D keys, then what else the row holds, `row_stride` elements in all. The
// norm's rms is that of the raw head in both orders, because a rotation keeps lengths.
// Contract: D even from 2 to 1024; R even, at most D; H and K at least 1 and at most 1024;
// gains both given or both null; pointers aligned to 16 bytes. Sums over tokens have a fixed order.
// Traffic for each token: forward 2 (H + K) D elements, backward 3 (H + K) D.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

enum class NormOrder {
  kAfterRotation,   // y = gain rms_norm(rotate(x)): the paper's backbone
  kBeforeRotation,  // y = rotate(gain rms_norm(x)): the seed's
};
enum class PairLayout {
  kHalves,      // pairs (i, i + R/2)
  kNeighbours,  // pairs (2i, 2i + 1)
};

// Rotation by the angle of pair p: (a, b) -> (a cos - b sin, a sin + b cos); features from R on
// stay.
template <typename R>
struct RotaryShape {
  int64_t tokens = 0;    // N
  int64_t sequence = 0;  // T; the position of token t is t % T
  int64_t query_heads = 0;
  int64_t key_heads = 0;
  int64_t head_dim = 0;
  int64_t rotated = 0;  // R
  int64_t row_stride = 0;
  NormOrder order = NormOrder::kAfterRotation;
  PairLayout layout = PairLayout::kHalves;
  double eps = 1e-5;
  const R* cosine = nullptr;      // (T, R/2); unread where R is 0
  const R* sine = nullptr;        // (T, R/2)
  const R* query_gain = nullptr;  // (D); null: no norm
  const R* key_gain = nullptr;    // (D)
};

template <typename T>
struct RotaryForward {
  RotaryShape<Real<T>> shape;
  const T* in = nullptr;  // (N, row_stride)
  T* queries = nullptr;   // (N, H, D)
  T* keys = nullptr;      // (N, K, D)
};

template <typename T>
struct RotaryBackward {
  using R = Real<T>;
  RotaryShape<R> shape;
  const T* in = nullptr;         // as in the forward
  const T* d_queries = nullptr;  // (N, H, D)
  const T* d_keys = nullptr;     // (N, K, D)
  T* d_in = nullptr;             // (N, row_stride): the parts of queries and keys; not `in`
  R* d_query_gain = nullptr;     // (D), added to; with gains
  R* d_key_gain = nullptr;       // (D), likewise
  R* workspace = nullptr;        // RotaryWorkspace(head_dim) values; unread by Cpu
  int64_t workspace_size = 0;
};

int64_t RotaryWorkspace(int64_t head_dim);

template <typename T>
Outcome CheckRotary(const RotaryForward<T>& call);
template <typename T>
Outcome CheckRotary(const RotaryBackward<T>& call);

template <typename T>
Outcome Launch(const RotaryForward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const RotaryBackward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const RotaryForward<T>& call, Gpu place);
template <typename T>
Outcome Launch(const RotaryBackward<T>& call, Gpu place);

}  // namespace ddl::kernels
