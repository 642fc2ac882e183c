// One token's rewrite of the residual state by a sublayer's output (ddl.md sections 1 and 3), and
// its gradients by the chain rule, one intermediate value at a time.
#pragma once

#include "kernels/reference/vector.h"

namespace ddl::kernels::reference {

enum class RewriteKind {
  kAdditive,          // X' = X + h, n = 1.
  kWriteOnly,         // X' = X + beta k v^T.
  kDdl,               // X' = X + beta k (v^T - k^T X).
  kSeedDeepDeltares,  // x' = x * (beta (v - k.x) k), n = 1, k = h / max(|h|_1, eps): a product.
};

struct RewriteInput {
  RewriteKind kind = RewriteKind::kDdl;
  int64_t n = 1;
  int64_t d = 0;
  double eps = 1e-5;  // k = h / sqrt(h.h + eps^2); of the seed's kind the least |h|_1.
  Vector state;       // X (n, d)
  Vector h;           // (d)
  Vector v;           // (n); unread by kAdditive
  double beta = 1.0;  // unread by kAdditive
};

// X' (n, d).
Vector Rewrite(const RewriteInput& input);

struct RewriteGradients {
  Vector state;  // (n, d)
  Vector h;      // (d)
  Vector v;      // (n)
  double beta = 0;
};

// Gradients of a loss whose gradient with respect to X' is `d_next` (n, d).
RewriteGradients RewriteBackward(const RewriteInput& input, const Vector& d_next);

}  // namespace ddl::kernels::reference
