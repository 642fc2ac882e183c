// Runs and points as text for notebooks: JSON by the proto's field names with numbers as numbers,
// CSV with floats that read back as the same double.
#pragma once

#include <string>

#include "coordinator/core/store.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

// {"runs": [...], "next_page_token": "..."}. Times are RFC 3339 in UTC; NaN and unset times are
// null.
std::string RunsJson(const v1::ListRunsResponse& list);

inline constexpr char kSeriesCsvHeader[] = "run,attempt,step,tokens,flops,active_seconds,value\n";
std::string SeriesCsvRows(const v1::SeriesChunk& chunk);

}  // namespace ddl::coordinator
