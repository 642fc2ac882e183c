// The loop's promises: answers only of durable state, bounded waiting, an orderly end.
#include "coordinator/service/commit_loop.h"

#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

absl::StatusOr<v1::SubmitExperimentResponse> SubmitTo(CommitLoop* loop, const std::string& id,
                                                      absl::Time deadline) {
  v1::SubmitExperimentRequest request;
  request.set_request_id(id);
  *request.mutable_spec() = SmallSpec("small");
  request.set_queue(true);
  return loop->Change<v1::SubmitExperimentResponse>(
      "ada", deadline, [request](Sequencer& sequencer, const Caller& caller) {
        return sequencer.Submit(request, caller);
      });
}

TEST_CASE("a change is in the journal when its call returns, and a read sees it") {
  RunningCoordinator coordinator;
  const uint64_t before = coordinator.store->JournalSeq();
  REQUIRE(SubmitTo(coordinator.loop.get(), "r1", absl::InfiniteFuture()).ok());
  CHECK(coordinator.store->JournalSeq() > before);
  const auto runs = coordinator.loop->Read<size_t>(
      absl::InfiniteFuture(), [](const Sequencer& sequencer) -> absl::StatusOr<size_t> {
        return sequencer.core().state().runs.size();
      });
  CHECK(*runs == 1);
}

TEST_CASE("a call whose deadline passes while it waits says so, and the loop goes on") {
  RunningCoordinator coordinator;
  Mutex mutex;
  mutex.Lock();
  std::thread blocker([&] {
    const auto blocked = coordinator.loop->Read<int>(
        absl::InfiniteFuture(), [&mutex](const Sequencer&) -> absl::StatusOr<int> {
          const MutexLock lock(&mutex);
          return 1;
        });
    CHECK(*blocked == 1);
  });
  const auto late = SubmitTo(coordinator.loop.get(), "r1", absl::Now() + absl::Milliseconds(50));
  CHECK((late.ok() || late.status().code() == absl::StatusCode::kDeadlineExceeded));
  mutex.Unlock();
  blocker.join();
  CHECK(SubmitTo(coordinator.loop.get(), "r1", absl::InfiniteFuture()).ok());
}

TEST_CASE("more calls than the queue holds are refused as unavailable") {
  const ScratchFolder folder;
  auto store = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  REQUIRE(store.ok());
  const auto loop = CommitLoop::Start(store->get(), {}, {.queue = 0});
  REQUIRE(loop.ok());
  CHECK(SubmitTo(loop->get(), "r1", absl::InfiniteFuture()).status().code() ==
        absl::StatusCode::kUnavailable);
}

TEST_CASE("a full disk refuses changes, keeps reads, and passes when there is space") {
  const ScratchFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    std::cout << "ddl test skipped: mounting a small disk needs root\n";
    return;
  }
  {
    auto store = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
    REQUIRE(store.ok());
    const auto loop = CommitLoop::Start(store->get(), {}, {.tick = absl::Milliseconds(20)});
    REQUIRE(loop.ok());
    absl::Status full;
    int accepted = 0;
    while (full.ok()) {
      full = SubmitTo(loop->get(), absl::StrCat("r", accepted), absl::InfiniteFuture()).status();
      if (full.ok()) ++accepted;
      REQUIRE(accepted < 5000);
    }
    CHECK(full.code() == absl::StatusCode::kResourceExhausted);
    CHECK_FALSE((*loop)->healthy());
    CHECK((*loop)
              ->Read<int>(absl::InfiniteFuture(),
                          [](const Sequencer&) -> absl::StatusOr<int> { return 1; })
              .ok());
    REQUIRE(mount("none", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=32m") == 0);
    const absl::Time limit = absl::Now() + absl::Seconds(5);
    while (!(*loop)->healthy() && absl::Now() < limit) continue;
    CHECK(SubmitTo(loop->get(), absl::StrCat("r", accepted), absl::InfiniteFuture()).ok());
    CHECK((*loop)->healthy());
  }
  CHECK(umount(folder.path().c_str()) == 0);
}

}  // namespace
}  // namespace ddl::coordinator
