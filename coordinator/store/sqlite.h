// SQLite's C interface as two owning types. Nothing outside coordinator/store sees SQLite.
//
// A Database and its statements belong to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ddl::coordinator {

// One prepared statement. Binding counts from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Bound text and blobs are not copied: they must live until Step or Run returns.
  Statement& Bind(int index, int64_t value);
  Statement& BindText(int index, absl::string_view value);
  Statement& BindBlob(int index, absl::string_view value);

  // True when there is a row.
  absl::StatusOr<bool> Step();
  // Steps to the end, discards rows, and makes the statement ready for the next binding.
  absl::Status Run();
  void Reset();

  int64_t Int(int column) const;
  absl::string_view Text(int column) const;  // Valid until the next Step or Reset.
  absl::string_view Blob(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  // kWriter checkpoints; a kReader never writes, and never checkpoints either: two connections that
  // do so meet a fault of SQLite before 3.51.3.
  enum class Role { kWriter, kReader };
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Role role);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  absl::Status Execute(const std::string& sql);  // Several statements; rows are discarded.
  absl::StatusOr<int64_t> Number(absl::string_view sql);
  absl::StatusOr<std::string> Word(absl::string_view sql);
  int64_t Changes() const;  // Rows changed by the last statement.
  int64_t LastInsertId() const;

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  sqlite3* database_;
};

// Begins a write transaction; rolls back unless Commit succeeded.
class WriteTransaction {
 public:
  static absl::StatusOr<WriteTransaction> Begin(Database* database);
  ~WriteTransaction();
  WriteTransaction(WriteTransaction&& other) noexcept;
  absl::Status Commit();

 private:
  explicit WriteTransaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace ddl::coordinator
