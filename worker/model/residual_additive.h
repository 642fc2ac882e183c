// X' = X + h: the baseline that every other residual is compared with.
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeAdditive(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
