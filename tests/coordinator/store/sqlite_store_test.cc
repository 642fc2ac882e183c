// The SQLite store: the rules of any store, and those of its own: who may open it, and what it
// notices when its file is damaged.
#include "coordinator/store/sqlite_store.h"

#include <sqlite3.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "coordinator/store/schema.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

std::unique_ptr<SqliteStore> OpenIn(const ScratchFolder& folder) {
  auto store = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  INFO(store.status().ToString());
  REQUIRE(store.ok());
  return *std::move(store);
}

// Changes the closed database behind the store's back.
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

absl::Status OpenError(const SqliteStoreOptions& options) {
  return SqliteStore::Open(options).status();
}

TEST_CASE("the SQLite store keeps the rules of any store") {
  const ScratchFolder folder;
  const OpenStore open = [&] { return OpenIn(folder); };
  SECTION("journal and snapshot") { CheckJournalAndSnapshot(open); }
  SECTION("replies and cursors") { CheckRepliesAndCursors(open); }
  SECTION("points exactly once") { CheckPointsExactlyOnce(open); }
  SECTION("lineage") { CheckLineage(open); }
  SECTION("long series") { CheckLongSeries(open); }
  SECTION("progress") { CheckProgress(open); }
  SECTION("random points") { CheckRandomPoints(open, std::random_device()()); }
}

TEST_CASE("a repeated point is counted as one, another value as a conflict") {
  const ScratchFolder folder;
  const auto store = OpenIn(folder);
  for (const double value : {1.0, 1.0, 2.0}) {
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(1, {{"loss", value}})}));
    REQUIRE(store->Commit(transaction).ok());
  }
  const PointCounts counts = store->point_counts();
  CHECK(counts.ingested == 1);
  CHECK(counts.repeated == 1);
  CHECK(counts.conflicting == 1);
}

TEST_CASE("a run has 1,000 series at most, and points beyond are counted") {
  const ScratchFolder folder;
  std::vector<std::pair<std::string, double>> samples;
  for (int i = 0; i < 1005; ++i) samples.emplace_back(absl::StrCat("series", i), i);
  for (int start = 0; start < 2; ++start) {
    const auto store = OpenIn(folder);
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(start, samples)}));
    REQUIRE(store->Commit(transaction).ok());
    CHECK(store->point_counts().ingested == 1000);
    CHECK(store->point_counts().over_cap == 5);
  }
}

TEST_CASE("replies older than a week go as new ones come") {
  const ScratchFolder folder;
  const auto store = OpenIn(folder);
  const absl::Time old = absl::FromUnixSeconds(1'000'000'000);
  const auto reply = [](const char* id, absl::Time time) {
    return StoredReply{"ann", id, "Submit", "aa", "ok", time};
  };
  REQUIRE(store->Commit({.replies = {reply("old", old)}}).ok());
  REQUIRE(store->Commit({.replies = {reply("week", old + absl::Hours(24 * 6))}}).ok());
  CHECK((*store->FindReply("ann", "old")).has_value());
  REQUIRE(store->Commit({.replies = {reply("new", old + absl::Hours(24 * 8))}}).ok());
  CHECK_FALSE((*store->FindReply("ann", "old")).has_value());
  CHECK((*store->FindReply("ann", "week")).has_value());
}

TEST_CASE("a second process is told who holds the folder, even when the lock file is gone") {
  const ScratchFolder folder;
  const auto store = OpenIn(folder);
  absl::Status second = OpenError({.folder = folder.path()});
  CHECK(second.code() == absl::StatusCode::kAlreadyExists);
  CHECK(absl::StrContains(second.message(), absl::StrCat("pid ", getpid())));
  CHECK(absl::StrContains(second.message(), "host "));
  REQUIRE(unlink((folder / "lock").c_str()) == 0);
  second = OpenError({.folder = folder.path()});
  CHECK(second.code() == absl::StatusCode::kAlreadyExists);
}

TEST_CASE("an empty folder needs bootstrap, and a folder that lost its database is refused") {
  const ScratchFolder folder;
  const absl::Status empty = OpenError({.folder = folder.path()});
  CHECK(empty.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(empty.message(), "--bootstrap"));
  OpenIn(folder).reset();
  CHECK(OpenError({.folder = folder.path()}).ok());
  REQUIRE(WriteFileAtomically(folder / "address", "grpc=x").ok());
  for (const char* name : {"coordinator.db", "coordinator.db-wal", "coordinator.db-shm"}) {
    unlink((folder / name).c_str());
  }
  const absl::Status lost = OpenError({.folder = folder.path(), .bootstrap = true});
  CHECK(lost.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(lost.message(), "not empty (address)"));
}

TEST_CASE("a newer schema and a database of another program are refused") {
  const ScratchFolder folder;
  OpenIn(folder).reset();
  Damage(folder, absl::StrCat("PRAGMA user_version = ", kSchemaVersion + 1));
  absl::Status status = OpenError({.folder = folder.path()});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(status.message(), "schema version 2"));
  Damage(folder, "PRAGMA application_id = 7");
  status = OpenError({.folder = folder.path()});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(status.message(), "application id 7"));
}

TEST_CASE("network file systems are refused by name") {
  for (const auto& [type, name] : std::vector<std::pair<uint32_t, const char*>>{
           {0x6969, "NFS"}, {0xFF534D42, "CIFS"}, {0x65735546, "FUSE"}}) {
    const absl::Status status = CheckFilesystem(type, "/state");
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(status.message(), name));
  }
  CHECK(CheckFilesystem(0xEF53, "/state").ok());      // ext4.
  CHECK(CheckFilesystem(0x58465342, "/state").ok());  // XFS.
}

TEST_CASE("a damaged or missing record stops the start with its place") {
  const ScratchFolder folder;
  {
    const auto store = OpenIn(folder);
    CommitEvents(store.get(), 42);
  }
  SECTION("damaged") {
    Damage(folder, "UPDATE journal SET record = X'00' WHERE seq = 17");
    const auto recovery = OpenIn(folder)->Recover();
    CHECK(recovery.status().code() == absl::StatusCode::kDataLoss);
    CHECK(absl::StrContains(recovery.status().message(),
                            "journal record 17 of 42 has a wrong checksum"));
  }
  SECTION("missing") {
    Damage(folder, "DELETE FROM journal WHERE seq = 17");
    const auto recovery = OpenIn(folder)->Recover();
    CHECK(recovery.status().code() == absl::StatusCode::kDataLoss);
    CHECK(absl::StrContains(recovery.status().message(), "journal record 17 of 42 is missing"));
  }
  SECTION("changed places") {
    Damage(folder,
           "UPDATE journal SET seq = 1000 WHERE seq = 17; UPDATE journal SET seq = 17 WHERE seq = "
           "18; UPDATE journal SET seq = 18 WHERE seq = 1000");
    CHECK(OpenIn(folder)->Recover().status().code() == absl::StatusCode::kDataLoss);
  }
  SECTION("lost behind a snapshot") {
    REQUIRE(OpenIn(folder)->WriteSnapshot(42, "state").ok());
    Damage(folder, "DELETE FROM journal WHERE seq > 40");
    CHECK(OpenIn(folder)->Recover().status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("a damaged last record is dropped with a warning, its reply too") {
  const ScratchFolder folder;
  {
    const auto store = OpenIn(folder);
    CommitEvents(store.get(), 5);
  }
  Damage(folder, "UPDATE journal SET crc = crc + 1 WHERE seq = 5");
  const auto store = OpenIn(folder);
  const auto recovery = store->Recover();
  REQUIRE(recovery.ok());
  CHECK(recovery->events.size() == 4);
  CHECK(store->JournalSeq() == 4);
  REQUIRE(store->warnings().size() == 1);
  CHECK(absl::StrContains(store->warnings()[0], "journal record 5 of 5"));
  CHECK_FALSE((*store->FindReply("ann", "r5")).has_value());
  CHECK((*store->FindReply("ann", "r4")).has_value());
}

TEST_CASE("a damaged snapshot is passed over and the whole journal replayed") {
  const ScratchFolder folder;
  {
    const auto store = OpenIn(folder);
    CommitEvents(store.get(), 3);
    REQUIRE(store->WriteSnapshot(3, "state").ok());
  }
  Damage(folder, "UPDATE snapshot SET state = X'00'");
  const auto store = OpenIn(folder);
  const auto recovery = store->Recover();
  REQUIRE(recovery.ok());
  CHECK(recovery->snapshot_seq == 0);
  CHECK(recovery->events.size() == 3);
  CHECK(store->warnings().size() == 1);
}

TEST_CASE("a damaged point is an error, never another value") {
  const ScratchFolder folder;
  {
    const auto store = OpenIn(folder);
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(1, {{"loss", 2.0}})}));
    REQUIRE(store->Commit(transaction).ok());
  }
  Damage(folder, "UPDATE point SET value = value + 1");
  const absl::Status read =
      OpenIn(folder)->ReadSeries("run1", "loss", {}, [](const auto&) { return true; });
  CHECK(read.code() == absl::StatusCode::kDataLoss);
}

// Of what the store then says, nothing may be wrong: it refuses, or answers as before.
TEST_CASE("one flipped bit anywhere in the file never changes the recovered journal unnoticed") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const ScratchFolder folder;
  std::vector<std::string> events;
  for (int i = 0; i < 60; ++i) events.push_back(std::string(2000, static_cast<char>('A' + i)));
  {
    const auto store = OpenIn(folder);
    for (const std::string& event : events) REQUIRE(store->Commit({.events = {event}}).ok());
  }
  const std::string file = folder / "coordinator.db";
  const std::string whole = *ReadFile(file);
  int noticed = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = whole;
    const size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    REQUIRE(WriteFileAtomically(file, bytes).ok());
    unlink((folder / "coordinator.db-wal").c_str());
    unlink((folder / "coordinator.db-shm").c_str());
    auto store = SqliteStore::Open({.folder = folder.path()});
    const auto recovery = store.ok() ? (*store)->Recover() : store.status();
    if (!recovery.ok() || !(*store)->warnings().empty()) {
      ++noticed;
      continue;
    }
    INFO("bit of byte " << at);
    REQUIRE(recovery->events == events);
  }
  CHECK(noticed > 100);
  std::cout << "noticed " << noticed << " of 300 flips; the others hit bytes that hold no record\n";
}

TEST_CASE("a full disk refuses a commit whole, and later ones succeed once there is space") {
  const ScratchFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    WARN("skipped: mounting a small disk needs root");
    return;
  }
  {
    const auto store = OpenIn(folder);
    CommitEvents(store.get(), 3);
    const std::string filler = folder / "filler";
    absl::Status full;
    int committed = 3;
    while (full.ok()) {
      full = store->Commit({.events = {std::string(20'000, 'x')}});
      if (full.ok()) ++committed;
      REQUIRE(committed < 200);
    }
    CHECK(full.code() == absl::StatusCode::kResourceExhausted);
    CHECK(store->JournalSeq() == static_cast<uint64_t>(committed));
    REQUIRE(mount("none", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=8m") == 0);
    REQUIRE(store->Commit({.events = {"after"}}).ok());
    const auto recovery = store->Recover();
    REQUIRE(recovery.ok());
    CHECK(recovery->events.size() == static_cast<size_t>(committed) + 1);
    CHECK(recovery->events.back() == "after");
  }
  CHECK(umount(folder.path().c_str()) == 0);
}

}  // namespace
}  // namespace ddl::coordinator
