// The shapes of a model as common/architecture.h counts its cost from.
#pragma once

#include "common/architecture.h"
#include "worker/model/model_config.h"

namespace ddl {

// All but max_seq_len, which is not the model's.
Architecture ShapesOf(const ModelConfig& model);

}  // namespace ddl
