// X' = X + beta k v^T: `ddl` without the erase term, the matched control that tells what the
// erasing is worth.
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeWriteOnly(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
