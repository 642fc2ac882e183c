// Deep Delta Learning: X' = X + beta k (v^T - k^T X), which erases along k and writes v there under
// one gate (ddl.md section 1).
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeDdl(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
