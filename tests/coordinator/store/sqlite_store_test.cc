// The SQLite store keeps the rules of any store, and of its own: replies go, a full disk passes.
#include "coordinator/store/sqlite_store.h"

#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/open_store.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

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

// Of what the store then says, nothing may be wrong: it refuses, or answers as before.

TEST_CASE("a full disk refuses a commit whole, and later ones succeed once there is space") {
  const ScratchFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    std::cout << "ddl test skipped: mounting a small disk needs root\n";
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
