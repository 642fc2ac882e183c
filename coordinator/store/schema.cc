#include "coordinator/store/schema.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

// Migration i leads from version i to i + 1. A double is stored as the integer of its bits: SQLite
// turns NaN into NULL.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {R"sql(
  CREATE TABLE journal(
    seq INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    record BLOB NOT NULL) STRICT;
  CREATE TABLE snapshot(
    seq INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    state BLOB NOT NULL) STRICT;
  CREATE TABLE reply(
    principal TEXT NOT NULL,
    request_id TEXT NOT NULL,
    method TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    response BLOB NOT NULL,
    time INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL,
    PRIMARY KEY(principal, request_id)) STRICT;
  CREATE INDEX reply_by_time ON reply(time);
  CREATE TABLE cursor(
    run TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY(run, epoch, rank)) STRICT, WITHOUT ROWID;
  CREATE TABLE run(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE point(
    run INTEGER NOT NULL,
    series INTEGER NOT NULL,
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    flops INTEGER NOT NULL,
    active_seconds INTEGER NOT NULL,
    value INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY(run, series, step, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE progress(
    run TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    flops INTEGER NOT NULL,
    active_seconds INTEGER NOT NULL,
    train_loss INTEGER NOT NULL,
    val_loss INTEGER NOT NULL,
    best_val_loss INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql"};

absl::Status CheckOwner(Database* database, int64_t version, bool bootstrap) {
  DDL_ASSIGN_OR_RETURN(const int64_t owner, database->Number("PRAGMA application_id"));
  if (owner == kApplicationId) return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(const int64_t tables,
                       database->Number("SELECT count(*) FROM sqlite_schema"));
  if (owner != 0 || version != 0 || tables != 0) {
    return absl::FailedPreconditionError(absl::StrCat("not a Deltaworks database: application id ",
                                                      owner, ", not ", kApplicationId));
  }
  if (bootstrap) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the database is empty: pass --bootstrap to begin a new cluster");
}

absl::Status Migrate(Database* database, int64_t version) {
  DDL_ASSIGN_OR_RETURN(WriteTransaction transaction, WriteTransaction::Begin(database));
  for (; version < kSchemaVersion; ++version) {
    DDL_RETURN_IF_ERROR(database->Execute(kMigrations[static_cast<size_t>(version)]));
  }
  DDL_RETURN_IF_ERROR(database->Execute(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                                     "; PRAGMA user_version = ", kSchemaVersion)));
  return transaction.Commit();
}

}  // namespace

absl::Status PrepareSchema(Database* database, bool bootstrap) {
  DDL_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous = FULL"));
  DDL_ASSIGN_OR_RETURN(const int64_t version, database->Number("PRAGMA user_version"));
  DDL_RETURN_IF_ERROR(CheckOwner(database, version, bootstrap));
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the database has schema version ", version,
                                                      ", this program knows ", kSchemaVersion,
                                                      " at most: use the newer program"));
  }
  if (version < kSchemaVersion) DDL_RETURN_IF_ERROR(Migrate(database, version));
  DDL_ASSIGN_OR_RETURN(const std::string mode, database->Word("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(
        absl::StrCat("the file system allows no write-ahead log (journal mode ", mode, ")"));
  }
  return database->Execute("PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8000");
}

}  // namespace ddl::coordinator
