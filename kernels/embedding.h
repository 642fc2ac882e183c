// The residual stream's first state from token ids, and its way back: the embedding's rows,
// expanded to n channels by a depthwise causal convolution over each sequence, or repeated.
//
// N = B T tokens of sequences of T, n channels, d width, K taps. kernel row i n + j is channel j of
// feature i. Contract: d a multiple of 8 from 32 to 4096; n from 1 to 8; K from 0 to 8; pointers
// aligned to 16 bytes. Token ids must lie in [0, V); the data loader checks them. Sums over tokens
// have a fixed order.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

struct EmbeddingShape {
  int64_t tokens = 0;    // N, a multiple of the sequence
  int64_t sequence = 0;  // T
  int64_t d = 0;
  int64_t n = 1;
  int64_t taps = 0;  // K; 0: the row is repeated
};

// state[t][j] = sum_s kernel[., j][s] scale E[ids[t - (K - 1 - s)]], within the sequence.
template <typename T>
struct EmbeddingForward {
  using R = Real<T>;
  EmbeddingShape shape;
  const int32_t* ids = nullptr;  // (N)
  const T* embedding = nullptr;  // E (V, d)
  const R* kernel = nullptr;     // (d n, K)
  R scale = 1;                   // sqrt(d) in the seed's backbone
  T* state = nullptr;            // (N, n, d)
};

template <typename T>
struct EmbeddingBackward {
  using R = Real<T>;
  EmbeddingShape shape;
  const int32_t* ids = nullptr;
  const int32_t* order = nullptr;  // (N): positions sorted by id, equal ids in their order
  const T* embedding = nullptr;
  const R* kernel = nullptr;
  R scale = 1;
  const T* d_state = nullptr;  // (N, n, d)
  R* d_embedding = nullptr;    // (V, d), added to
  R* d_kernel = nullptr;       // (d n, K), added to; with taps
  R* workspace = nullptr;      // EmbeddingWorkspace(shape) values; unread by Cpu
  int64_t workspace_size = 0;
};

int64_t EmbeddingWorkspace(const EmbeddingShape& shape);
// What EmbeddingBackward::order wants, on the host.
std::vector<int32_t> SortedPositions(const int32_t* ids, int64_t tokens);

template <typename T>
Outcome CheckEmbedding(const EmbeddingForward<T>& call);
template <typename T>
Outcome CheckEmbedding(const EmbeddingBackward<T>& call);

template <typename T>
Outcome Launch(const EmbeddingForward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const EmbeddingBackward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const EmbeddingForward<T>& call, Gpu place);
template <typename T>
Outcome Launch(const EmbeddingBackward<T>& call, Gpu place);

}  // namespace ddl::kernels
