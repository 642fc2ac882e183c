// The seed's DeepDeltaRes exactly as written there: x' = x * (beta (v - k^T x) k), a product where
// the paper has a sum, with an L1 norm where the paper has L2. It differs from `ddl`; it is kept
// for exact comparison with the seed's results.
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeSeedDeepDeltaRes(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
