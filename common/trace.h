// The trace of an attempt: what coordinator, worker and ranks write about it has the same trace_id,
// without telling each other.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ddl {

// 32 lower-case hex digits: the first half of the SHA-256 of "<run>/e<epoch>".
std::string AttemptTrace(absl::string_view run, uint64_t epoch);

}  // namespace ddl
