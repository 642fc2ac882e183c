// The compressors of ddl.md section 2 and the embedding convolution, as convolutions written out,
// with their gradients. Gradients of weights are added to what is there.
#pragma once

#include "kernels/reference/vector.h"

namespace ddl::kernels::reference {

// How a state (N, n, d) becomes the sublayer's input (N, d).
struct Compressor {
  enum class Kind { kNone, kChannel, kToken };
  Kind kind = Kind::kNone;  // kNone: n = 1, the state itself.
  int64_t n = 1;
  int64_t d = 0;
  int64_t taps = 1;
  int64_t tokens = 1;  // T: a token convolution does not see past the start of its sequence.
  Vector kernel;       // kChannel: (d, taps), left pad (taps - 1) / 2; kToken: (d n, taps), causal.
  Vector read;         // (n)
};

Vector Compress(const Compressor& c, const Vector& state);
// Adds to d_state (N, n, d), d_kernel and d_read, given d_x (N, d).
void CompressBackward(const Compressor& c, const Vector& state, const Vector& d_x, Vector* d_state,
                      Vector* d_kernel, Vector* d_read);

// w_eff (n, d) of a channel compressor: x[i] = sum_j w_eff[j][i] X[j][i].
Vector FoldChannel(const Compressor& c);

// X_0 (N, n, d) of an embedding (N, d) and a kernel (d n, taps), row i n + j for channel j of
// feature i. An empty kernel repeats the embedding n times.
struct EmbeddingConvolution {
  int64_t n = 1;
  int64_t d = 0;
  int64_t taps = 0;
  int64_t tokens = 1;
  Vector kernel;
};

Vector Expand(const EmbeddingConvolution& c, const Vector& embedding);
void ExpandBackward(const EmbeddingConvolution& c, const Vector& embedding, const Vector& d_state,
                    Vector* d_embedding, Vector* d_kernel);

}  // namespace ddl::kernels::reference
