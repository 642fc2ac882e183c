// The model that a reference file's metadata and shapes describe (docs/golden.md).
#pragma once

#include "absl/status/statusor.h"
#include "worker/model/model_config.h"
#include "worker/train/golden/golden_file.h"

namespace ddl {

// kInvalidArgument, naming the key and the rule, for an unknown variant, a missing key, or values
// that make no model or one larger than the file's own weights.
absl::StatusOr<ModelConfig> GoldenModel(const GoldenFile& file);

}  // namespace ddl
