#include "worker/agent/log_outbox.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {
namespace {

const RankKey kLogged{{"k3v9x2mq", 1}, 0};

// What the coordinator promises: it appends what goes on where its copy ends, and says where that
// is.
struct ModelStore {
  v1::ReportLogResponse Report(const v1::ReportLogRequest& request) {
    std::string& copy = copies[{{request.run(), request.epoch()}, request.rank()}];
    v1::ReportLogResponse response;
    if (request.offset() == copy.size() && !complete) {
      copy += request.data();
      complete = request.end();
    }
    response.set_next_offset(copy.size());
    response.set_complete(complete);
    return response;
  }
  std::map<RankKey, std::string> copies;
  bool complete = false;
};

struct World {
  World() : outbox(MakeOutbox()) {
    REQUIRE(MakeFolders(folders.FolderOf(kLogged)).ok());
    Hold(v1::RANK_STATE_RUNNING);
  }
  std::unique_ptr<LogOutbox> MakeOutbox() {
    return std::make_unique<LogOutbox>("w1", "s1", &folders);
  }
  void Hold(v1::RankState state) {
    held[kLogged.attempt].ranks[0].state = state;
    outbox->Follow(held);
  }
  void Write(const std::string& text) {
    log += text;
    std::ofstream(LogPath(), std::ios::app) << text;
  }
  std::string LogPath() const { return folders.FolderOf(kLogged) + "/log"; }
  // Makes calls until there are none; how many they were.
  int Deliver() {
    int calls = 0;
    while (auto request = outbox->Next()) {
      ++calls;
      outbox->OnReport(absl::OkStatus(), store.Report(*request));
    }
    return calls;
  }

  TemporaryFolder root;
  RunFolders folders{root.path() + "/state", root.path() + "/ckpt"};
  HeldAttempts held;
  std::string log;
  ModelStore store;
  std::unique_ptr<LogOutbox> outbox;
};

TEST_CASE("A log arrives in whole, whatever is lost and whenever the daemon is restarted") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  World world;
  for (int turn = 0; turn < 200; ++turn) {
    if (random() % 2 == 0)
      world.Write(absl::StrCat("line ", turn, std::string(random() % 9000, 'x'), "\n"));
    if (random() % 20 == 0) {
      world.outbox = world.MakeOutbox();
      world.outbox->TakeUp();
      world.outbox->Follow(world.held);
    }
    const auto request = world.outbox->Next();
    if (!request) continue;
    const bool request_lost = random() % 4 == 0;
    const v1::ReportLogResponse answer =
        request_lost ? v1::ReportLogResponse() : world.store.Report(*request);
    const bool answer_lost = request_lost || random() % 4 == 0;
    world.outbox->OnReport(answer_lost ? absl::UnavailableError("lost") : absl::OkStatus(), answer);
  }
  world.Write("last line without an end");
  world.Deliver();
  CHECK_FALSE(world.store.complete);
  world.Hold(v1::RANK_STATE_EXITED);
  CHECK_FALSE(world.outbox->idle());
  world.Deliver();
  CHECK(world.store.copies[kLogged] == world.log);
  CHECK(world.store.complete);
  CHECK(world.outbox->idle());
}

TEST_CASE("One call is under way at a time, and none when there is nothing new") {
  World world;
  REQUIRE(world.outbox->Next());
  CHECK_FALSE(world.outbox->Next());
  world.outbox->OnReport(absl::OkStatus(), {});
  CHECK_FALSE(world.outbox->Next());
  world.Write("x\n");
  CHECK(world.Deliver() == 1);
}

TEST_CASE("A log of an attempt that was forgotten is sent to its end, by the next daemon too") {
  World world;
  world.Write("one\n");
  world.Deliver();
  world.Write("two\n");
  world.held.clear();
  world.outbox = world.MakeOutbox();
  world.outbox->TakeUp();
  world.outbox->Follow(world.held);
  world.Deliver();
  CHECK(world.store.copies[kLogged] == "one\ntwo\n");
  CHECK(world.store.complete);
  CHECK(world.folders.UnsentLogs().empty());
  CHECK(FileExists(world.LogPath() + ".sent"));
}

TEST_CASE("A log that the coordinator does not want stays here, a lost session is waited for") {
  World world;
  world.Write("one\n");
  REQUIRE(world.outbox->Next());
  world.outbox->OnReport(absl::FailedPreconditionError("register again"), {});
  REQUIRE(world.outbox->Next());
  world.outbox->OnReport(absl::NotFoundError("no run"), {});
  CHECK_FALSE(world.outbox->Next());
  CHECK(world.store.copies.empty());
}

TEST_CASE("A piece is at most 256 KiB") {
  World world;
  world.Write(std::string(600 * 1024, 'x'));
  CHECK(world.Deliver() == 4);  // The question and three pieces.
  CHECK(world.store.copies[kLogged].size() == 600 * 1024);
}

}  // namespace
}  // namespace ddl::agent
