// SQLite as the store uses it.
#include "coordinator/store/sqlite.h"

#include <catch2/catch.hpp>

#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {
namespace {

std::unique_ptr<Database> Writer(const ScratchFolder& folder) {
  auto database = Database::Open(folder / "test.db", Database::Role::kWriter);
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("CREATE TABLE IF NOT EXISTS t(a INTEGER, b BLOB)").ok());
  return *std::move(database);
}

TEST_CASE("values are read back as they were bound, blobs with their zeros") {
  const ScratchFolder folder;
  const auto database = Writer(folder);
  auto insert = database->Prepare("INSERT INTO t VALUES(?, ?)");
  REQUIRE(insert.ok());
  REQUIRE(insert->Bind(1, INT64_MIN).BindBlob(2, {"a\0b", 3}).Run().ok());
  REQUIRE(insert->Bind(1, 7).BindBlob(2, "").Run().ok());
  auto select = database->Prepare("SELECT a, b FROM t ORDER BY a");
  REQUIRE(select.ok());
  REQUIRE(*select->Step());
  CHECK(select->Int(0) == INT64_MIN);
  CHECK(select->Blob(1) == absl::string_view("a\0b", 3));
  REQUIRE(*select->Step());
  CHECK(select->Blob(1).empty());
  CHECK_FALSE(*select->Step());
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  const ScratchFolder folder;
  const auto database = Writer(folder);
  {
    auto transaction = WriteTransaction::Begin(database.get());
    REQUIRE(transaction.ok());
    REQUIRE(database->Execute("INSERT INTO t VALUES(1, NULL)").ok());
  }
  CHECK(*database->Number("SELECT count(*) FROM t") == 0);
  auto transaction = WriteTransaction::Begin(database.get());
  REQUIRE(transaction.ok());
  REQUIRE(database->Execute("INSERT INTO t VALUES(1, NULL)").ok());
  REQUIRE(transaction->Commit().ok());
  CHECK(*database->Number("SELECT count(*) FROM t") == 1);
}

TEST_CASE("a reader cannot write, and a wrong statement names its text") {
  const ScratchFolder folder;
  const auto writer = Writer(folder);
  const auto reader = Database::Open(folder / "test.db", Database::Role::kReader);
  REQUIRE(reader.ok());
  CHECK_FALSE((*reader)->Execute("INSERT INTO t VALUES(1, NULL)").ok());
  const auto wrong = writer->Prepare("SELEKT 1");
  CHECK(std::string(wrong.status().message()).find("SELEKT 1") != std::string::npos);
}

TEST_CASE("a file that is no database is lost data, a missing one is not found") {
  const ScratchFolder folder;
  Spit(folder / "test.db", std::string(8192, 'x'));
  const auto database = Database::Open(folder / "test.db", Database::Role::kWriter);
  REQUIRE(database.ok());
  CHECK((*database)->Execute("CREATE TABLE t(a)").code() == absl::StatusCode::kDataLoss);
  CHECK(Database::Open(folder / "none.db", Database::Role::kReader).status().code() ==
        absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddl::coordinator
