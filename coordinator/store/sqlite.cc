#include "coordinator/store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

absl::Status ErrorOf(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  const int system = sqlite3_system_errno(database);
  const std::string text =
      absl::StrCat("SQLite: ", sqlite3_errmsg(database), " (code ", code, ", errno ", system, ")");
  switch (code & 0xFF) {
    case SQLITE_FULL: return absl::ResourceExhaustedError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return absl::DataLossError(text);
    case SQLITE_CANTOPEN: return absl::NotFoundError(text);
    case SQLITE_BUSY: return absl::UnavailableError(text);
    case SQLITE_IOERR:
      if (system == ENOSPC || system == EDQUOT) return absl::ResourceExhaustedError(text);
      return absl::InternalError(text);
    default: return absl::InternalError(text);
  }
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

Statement& Statement::Bind(int index, int64_t value) {
  DDL_CHECK(sqlite3_bind_int64(statement_, index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindText(int index, absl::string_view value) {
  DDL_CHECK(sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(),
                                SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindBlob(int index, absl::string_view value) {
  DDL_CHECK(sqlite3_bind_blob64(statement_, index, value.empty() ? "" : value.data(), value.size(),
                                SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(statement_));
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() { sqlite3_reset(statement_); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view Statement::Text(int column) const { return Blob(column); }

absl::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? absl::string_view() : absl::string_view(bytes, size);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Role role) {
  sqlite3* handle = nullptr;
  const int create = role == Role::kWriter ? SQLITE_OPEN_CREATE : 0;
  const int code = sqlite3_open_v2(path.c_str(), &handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return Annotate(ErrorOf(handle), path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 5000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (role == Role::kReader) {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(handle, 0);
    DDL_RETURN_IF_ERROR(database->Execute("PRAGMA query_only = 1"));
  }
  return database;
}

Database::~Database() { sqlite3_close_v2(database_); }

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return Annotate(ErrorOf(database_), sql);
  }
  return Statement(statement);
}

absl::Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return ErrorOf(database_);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Database::Number(absl::string_view sql) {
  DDL_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  DDL_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<std::string> Database::Word(absl::string_view sql) {
  DDL_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  DDL_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? std::string(statement.Text(0)) : std::string();
}

int64_t Database::Changes() const { return sqlite3_changes64(database_); }

int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(database_); }

absl::StatusOr<WriteTransaction> WriteTransaction::Begin(Database* database) {
  DDL_RETURN_IF_ERROR(database->Execute("BEGIN IMMEDIATE"));
  return WriteTransaction(database);
}

WriteTransaction::~WriteTransaction() {
  // After a full disk SQLite may have rolled back already; then this answers "no transaction".
  if (database_ != nullptr) database_->Execute("ROLLBACK").IgnoreError();
}

WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

absl::Status WriteTransaction::Commit() {
  DDL_RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
