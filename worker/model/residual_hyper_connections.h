// Hyper-Connections (arXiv 2409.19606, algorithms 2 and 3): n streams H, of which every sublayer m
// reads a mixture and to which it adds its output, each stream by a weight of its own:
//
//   h0 = A_m^T H,   H' = B^T F(norm(h0)) + A_r^T H
//
// At first A_m = e_(m mod n), A_r = I, B = 1. The dynamic form adds to (A_m, A_r) and B, for each
// stream, s tanh(norm(H) W) with W = 0 and s = 0.01 at first. The streams are summed at the end.
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeHyperConnections(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
