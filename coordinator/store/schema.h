// Tables of the coordinator's database, and how an older database becomes a newer one.
#pragma once

#include "absl/status/status.h"
#include "coordinator/store/sqlite.h"

namespace ddl::coordinator {

inline constexpr int kSchemaVersion = 1;
inline constexpr int kApplicationId = 0x44444C31;  // "DDL1", in the header of the file.

// Brings `database` to kSchemaVersion, in one transaction, and sets how it is used: write-ahead
// log, flushed at each commit. An empty database is filled only with `bootstrap`.
// kFailedPrecondition for another program's database, a newer schema, or an empty one.
absl::Status PrepareSchema(Database* database, bool bootstrap);

}  // namespace ddl::coordinator
