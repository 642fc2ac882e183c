// x' = x * (beta v k): the seed's module without its erase term, the matched control of
// `seed_deepdeltares`.
#pragma once

#include <memory>

#include "worker/model/residual.h"

namespace ddl {

std::unique_ptr<Residual> MakeSeedWriteOnly(const ModelConfig& config, Parameters* parameters);

}  // namespace ddl
