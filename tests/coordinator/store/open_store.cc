#include "tests/coordinator/store/open_store.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace ddl::coordinator {

std::unique_ptr<SqliteStore> OpenIn(const ScratchFolder& folder) {
  auto store = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  INFO(store.status().ToString());
  REQUIRE(store.ok());
  return *std::move(store);
}

absl::Status OpenError(const SqliteStoreOptions& options) {
  return SqliteStore::Open(options).status();
}

void Damage(const ScratchFolder& folder, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((folder / "coordinator.db").c_str(), &database) == SQLITE_OK);
  char* error = nullptr;
  sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error);
  INFO(sql << ": " << (error == nullptr ? "" : error));
  REQUIRE(error == nullptr);
  sqlite3_close(database);
}

void CommitEvents(SqliteStore* store, int count) {
  for (int i = 1; i <= count; ++i) {
    REQUIRE(store
                ->Commit({.events = {absl::StrCat("event ", i)},
                          .replies = {{"ann", absl::StrCat("r", i), "Submit", "aa", "ok",
                                       absl::UnixEpoch()}}})
                .ok());
  }
}

}  // namespace ddl::coordinator
