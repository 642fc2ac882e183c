// What `ddl` exits with. Scripts branch on these numbers, so they never change.
#pragma once

#include "absl/status/status.h"

namespace ddl::cli {

enum class ExitCode {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,  // Bad flags, or a spec that is not valid.
  kNotFound = 3,
  kCredentials = 4,
  kConflict = 5,     // Not in this state.
  kUnreachable = 6,  // No coordinator answered, after the bounded retry.
  kRunFailed = 7,    // `wait` and `submit -f`: the run ended, and not well.
  kFindings = 8,     // `validate --strict`, `compare --fail-if-worse`, `doctor`.
  kTimeout = 124,
  kInterrupted = 130,
};

// The code that a verb's error leaves with.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace ddl::cli
