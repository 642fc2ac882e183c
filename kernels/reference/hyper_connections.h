// Hyper-Connections of one token (arXiv 2409.19606, algorithms 2 and 3): n streams H (n, d) are
// mixed into the sublayer's input and into the next streams.
//
//   A[s][m] = static_alpha[s][m] + scale_alpha tanh(norm(H_s) . W_alpha[:, m])     (n, n + 1)
//   B[s]    = static_beta[s] + scale_beta tanh(norm(H_s) . W_beta)                 (n)
//   h0 = sum_s A[s][0] H_s;  next H_j = B[j] out + sum_s A[s][1 + j] H_s
//
// Without dynamic weights A and B are the static parts alone.
#pragma once

#include "kernels/reference/vector.h"

namespace ddl::kernels::reference {

struct HyperConnection {
  int64_t n = 1;
  int64_t d = 0;
  double norm_eps = 1e-5;
  bool dynamic = true;
  Vector static_alpha;  // (n, n + 1)
  Vector static_beta;   // (n)
  Vector gain;          // (d), of the streams' norm
  Vector w_alpha;       // (d, n + 1)
  Vector w_beta;        // (d)
  double scale_alpha = 0.01;
  double scale_beta = 0.01;
};

// Shaped like `connection`, all zero.
HyperConnection ZerosLike(const HyperConnection& connection);

// The sublayer's input h0 (d), before its norm.
Vector StreamInput(const HyperConnection& connection, const Vector& streams);
// The next streams (n, d), given the sublayer's output (d).
Vector NextStreams(const HyperConnection& connection, const Vector& streams, const Vector& output);

// Adds to the gradients: d_input is that of h0 and d_next that of the next streams. `d_output` must
// be added to before d_input is known, so the two halves are separate calls.
void NextStreamsBackward(const HyperConnection& connection, const Vector& streams,
                         const Vector& output, const Vector& d_next, Vector* d_streams,
                         Vector* d_output, HyperConnection* gradients);
void StreamInputBackward(const HyperConnection& connection, const Vector& streams,
                         const Vector& d_input, Vector* d_streams, HyperConnection* gradients);

}  // namespace ddl::kernels::reference
