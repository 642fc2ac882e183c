// What the store notices when its journal is damaged.
#include "coordinator/store/journal_table.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/open_store.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

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

}  // namespace
}  // namespace ddl::coordinator
