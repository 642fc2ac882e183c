// Keeps ranks' log files within a limit. Ranks write to files, never to pipes, so a flood cannot
// block them; what lies beyond the limit is cut off, counted and marked at the end of the file.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ddl::agent {

inline constexpr int64_t kLogLimitBytes = int64_t{100} << 20;  // Of one rank of one attempt.

// Cuts `path` back to its first `limit` bytes when it is longer by more than `slack`, and writes a
// line behind them that says how many bytes are missing in all: `dropped_before` and the bytes cut
// now, which are returned. 0 for a file that is short enough or is not there.
absl::StatusOr<int64_t> LimitLog(const std::string& path, int64_t limit, int64_t slack,
                                 int64_t dropped_before);

}  // namespace ddl::agent
