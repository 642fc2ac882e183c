// A resolved model spec as the plain numbers that LibTorch's side takes. Sees protobuf.
#pragma once

#include "proto/ddl/v1/spec.pb.h"
#include "worker/model/model_config.h"

namespace ddl {

ModelConfig PlainModel(const v1::ModelSpec& resolved);

}  // namespace ddl
