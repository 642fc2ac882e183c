// A SQLite store in a test's folder, and the means to damage it.
#pragma once

#include <memory>
#include <string>

#include "coordinator/store/sqlite_store.h"
#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {

// Opens the store of `folder`, making it if it is empty.
std::unique_ptr<SqliteStore> OpenIn(const ScratchFolder& folder);
absl::Status OpenError(const SqliteStoreOptions& options);

// Changes the closed database behind the store's back.
void Damage(const ScratchFolder& folder, const std::string& sql);

// Commits "event 1" to "event <count>", each with the reply "r<i>" to ann.
void CommitEvents(SqliteStore* store, int count);

}  // namespace ddl::coordinator
