// Computes again what a reference file of Muon holds: orthogonalisations, and steps of matrices
// with given gradients (ddl.md section 5, docs/golden.md).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "worker/train/golden/golden_errors.h"
#include "worker/train/golden/golden_file.h"

namespace ddl {

// Whether the file is of Muon: it names no variant and has in/0.
bool IsGoldenMuon(const GoldenFile& file);

// Groups polar and update. kInvalidArgument for a key that is absent or has no counterpart, or a
// wrong shape.
absl::StatusOr<std::vector<GroupError>> RunGoldenMuon(const GoldenFile& file);

}  // namespace ddl
