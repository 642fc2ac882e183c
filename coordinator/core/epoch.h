// The fence: whether a write of an attempt is still to be believed.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "coordinator/core/state.h"

namespace ddl::coordinator {

// OK for the newest attempt of the run. kNotFound for an unknown run; kAborted, naming the current
// epoch, for an older epoch; kFailedPrecondition for one that this state has never given.
absl::Status CheckEpoch(const State& state, const std::string& run, uint64_t epoch);

}  // namespace ddl::coordinator
