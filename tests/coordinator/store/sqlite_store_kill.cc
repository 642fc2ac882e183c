// kill -9 of a process that commits: what it acknowledged is there, nothing is there twice, and
// what is there is a prefix of what it did.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

constexpr int kKills = 20;

Transaction Numbered(uint64_t i) {
  Transaction transaction;
  transaction.events = {absl::StrCat("first of ", i), absl::StrCat("second of ", i)};
  transaction.metrics.push_back(MetricsOf(
      "run1", 1, {Record(static_cast<int64_t>(i), {{"loss", static_cast<double>(i) / 3.0}})}));
  transaction.cursors = {{"run1", 1, 0, i}};
  transaction.replies = {
      {"ann", absl::StrCat("r", i), "Submit", "aa", absl::StrCat(i), absl::UnixEpoch()}};
  return transaction;
}

// The child: commits i, i + 1, ... and writes each number to `ack` when it is durable.
[[noreturn]] void CommitForEver(const std::string& folder, uint64_t i, int ack) {
  auto store = SqliteStore::Open({.folder = folder, .bootstrap = true});
  if (!store.ok()) _exit(1);
  for (;; ++i) {
    if (!(*store)->Commit(Numbered(i)).ok()) _exit(2);
    if (i % 50 == 0 && !(*store)->WriteSnapshot(2 * i, absl::StrCat("state ", i)).ok()) _exit(3);
    if (write(ack, &i, sizeof(i)) != sizeof(i)) _exit(4);
  }
}

// Runs the child and kills it some microseconds after its first acknowledgement. Returns the last
// acknowledged number.
uint64_t RunAndKill(const std::string& folder, uint64_t first, std::mt19937* random) {
  std::array<int, 2> pipe_ends = {};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    CommitForEver(folder, first, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  uint64_t acknowledged = first - 1;
  uint64_t number = 0;
  const uint64_t wanted = (*random)() % 60 + 1;
  for (uint64_t i = 0; i < wanted; ++i) {
    REQUIRE(read(pipe_ends[0], &number, sizeof(number)) == sizeof(number));
    acknowledged = number;
  }
  const absl::Time moment = absl::Now() + absl::Microseconds((*random)() % 3000);
  while (absl::Now() < moment) continue;  // Into the middle of a later commit.
  kill(child, SIGKILL);
  while (read(pipe_ends[0], &number, sizeof(number)) == sizeof(number)) acknowledged = number;
  close(pipe_ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return acknowledged;
}

// Transactions 1 to `last` are there, whole and once, and nothing else is.
void CheckHolds(SqliteStore* store, uint64_t last) {
  const auto recovery = store->Recover();
  INFO(recovery.status().ToString());
  REQUIRE(recovery.ok());
  REQUIRE(store->JournalSeq() == 2 * last);
  REQUIRE(recovery->snapshot_seq % 100 == 0);
  REQUIRE(recovery->events.size() == 2 * last - recovery->snapshot_seq);
  for (size_t k = 0; k < recovery->events.size(); ++k) {
    const uint64_t i = (recovery->snapshot_seq + k) / 2 + 1;
    REQUIRE(recovery->events[k] == absl::StrCat(k % 2 == 0 ? "first of " : "second of ", i));
  }
  REQUIRE(*store->DurableSeq("run1", 1, 0) == last);
  const std::vector<v1::Point> points = PointsOf(store, "run1", "loss");
  REQUIRE(points.size() == last);
  for (uint64_t i = 1; i <= last; ++i) {
    REQUIRE(points[i - 1].value() == static_cast<double>(i) / 3.0);
    REQUIRE((*store->FindReply("ann", absl::StrCat("r", i)))->response == absl::StrCat(i));
  }
  REQUIRE_FALSE((*store->FindReply("ann", absl::StrCat("r", last + 1))).has_value());
}

TEST_CASE("after kill -9 in the middle of commits every acknowledged one is there, none twice") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const ScratchFolder folder;
  uint64_t last = 0;
  int ahead = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const uint64_t acknowledged = RunAndKill(folder.path(), last + 1, &random);
    auto store = SqliteStore::Open({.folder = folder.path()});
    INFO(store.status().ToString());
    REQUIRE(store.ok());
    last = (*store)->JournalSeq() / 2;
    REQUIRE(last >= acknowledged);
    REQUIRE(last <= acknowledged + 1);
    ahead += last > acknowledged ? 1 : 0;
    CheckHolds(store->get(), last);
  }
  std::cout << kKills << " kills, " << last << " commits, " << ahead
            << " durable but not acknowledged\n";
}

}  // namespace
}  // namespace ddl::coordinator
