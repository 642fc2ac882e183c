// Computes again what a reference file of a model holds: forward pass, loss, gradients and five
// training steps in fp32 on the CPU (ddl.md section 5).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "worker/train/golden/golden_errors.h"
#include "worker/train/golden/golden_file.h"

namespace ddl {

// Groups block_out, logits, loss, grad, train/loss, train/grad_norm, train/param. kInvalidArgument
// when the file is no reference of its variant: a key that is absent or has no counterpart in the
// model, a wrong shape, a token outside the vocabulary.
absl::StatusOr<std::vector<GroupError>> RunGoldenModel(const GoldenFile& file);

}  // namespace ddl
