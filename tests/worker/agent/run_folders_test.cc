#include "worker/agent/run_folders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/files.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {
namespace {

constexpr char kRun[] = "k3v9x2mq";

struct Folders {
  TemporaryFolder root;
  RunFolders folders{absl::StrCat(root.path(), "/state"), absl::StrCat(root.path(), "/ckpt")};
  std::string Checkpoint(const std::string& folder) {
    const std::string path = absl::StrCat(root.path(), "/ckpt/", folder);
    REQUIRE(MakeFolders(path).ok());
    REQUIRE(WriteFileAtomically(absl::StrCat(path, "/manifest.pb"), "m").ok());
    return path;
  }
};

v1::RankLaunch Launch(uint64_t epoch, uint32_t rank = 0) {
  v1::RankLaunch launch;
  launch.set_run(kRun);
  launch.set_epoch(epoch);
  launch.set_rank(rank);
  return launch;
}

v1::CheckpointDeletion Deletion(const std::string& folder, int64_t step = 10) {
  v1::CheckpointDeletion deletion;
  deletion.set_run(kRun);
  deletion.set_folder(folder);
  deletion.set_step(step);
  return deletion;
}

}  // namespace

TEST_CASE("A rank folder is found again with its process, and forgotten ones are not") {
  Folders at;
  const ProcessIdentity process{12, 34, "boot"};
  REQUIRE(at.folders.WriteLaunch(Launch(1)).ok());
  REQUIRE(at.folders.RecordProcess({{kRun, 1}, 0}, process).ok());
  REQUIRE(at.folders.WriteLaunch(Launch(2)).ok());
  std::vector<std::string> remarks;
  const auto found = at.folders.Find(&remarks);
  REQUIRE(found.ok());
  REQUIRE(found->size() == 2);
  CHECK((*found)[0].process == process);
  CHECK_FALSE((*found)[1].process);
  CHECK(absl::IsAlreadyExists(at.folders.WriteLaunch(Launch(1))));
  CHECK(at.folders.WriteLaunch(Launch(2)).ok());

  REQUIRE(at.folders.Forget({kRun, 1}).ok());
  CHECK(at.folders.Find(&remarks)->size() == 1);
  CHECK(at.folders.Epochs(kRun) == std::vector<uint64_t>{1});
  CHECK(remarks.empty());
  REQUIRE(at.folders.RemoveForgotten(absl::Now() - absl::Hours(1)).ok());
  CHECK(at.folders.Epochs(kRun).size() == 1);
  REQUIRE(at.folders.RemoveForgotten(absl::Now() + absl::Hours(1)).ok());
  CHECK(at.folders.Epochs(kRun).empty());
  CHECK(at.folders.Find(&remarks)->size() == 1);
}

TEST_CASE("A damaged process file is named and not adopted") {
  Folders at;
  REQUIRE(at.folders.WriteLaunch(Launch(1)).ok());
  const std::string path = absl::StrCat(at.folders.FolderOf({{kRun, 1}, 0}), "/process");
  for (const char* text : {"", "1 2", "-4 5 b", "x y z", "1 2 3 4"}) {
    REQUIRE(WriteFileAtomically(path, text).ok());
    std::vector<std::string> remarks;
    CHECK(at.folders.Find(&remarks)->empty());
    CHECK(remarks.size() == 1);
  }
}

TEST_CASE("A checkpoint of the run is deleted, and deleting it again is well") {
  Folders at;
  const std::string path = at.Checkpoint("k3v9x2mq/e4/step-10");
  REQUIRE(at.folders.DeleteCheckpoint(Deletion("k3v9x2mq/e4/step-10")).ok());
  CHECK_FALSE(FileExists(path));
  CHECK(at.folders.DeleteCheckpoint(Deletion("k3v9x2mq/e4/step-10")).ok());
}

TEST_CASE("No deletion leaves the checkpoint root or its own run") {
  Folders at;
  const std::string other = at.Checkpoint("aaaaaaaa/e4/step-10");
  const std::string outside = absl::StrCat(at.root.path(), "/outside");
  REQUIRE(MakeFolders(outside).ok());
  for (const char* folder :
       {"", "..", "../outside", "k3v9x2mq", "k3v9x2mq/e4", "k3v9x2mq/e4/..", "aaaaaaaa/e4/step-10",
        "k3v9x2mq/../aaaaaaaa/e4/step-10", "/k3v9x2mq/e4/step-10", "k3v9x2mq/e4/step-11",
        "k3v9x2mq/e04/step-10", "k3v9x2mq/e4/step-10/", "k3v9x2mq/e4/step-010"}) {
    CAPTURE(folder);
    CHECK(absl::IsInvalidArgument(at.folders.DeleteCheckpoint(Deletion(folder))));
  }
  REQUIRE(MakeFolders(absl::StrCat(at.root.path(), "/ckpt/k3v9x2mq/e4")).ok());
  REQUIRE(symlink(outside.c_str(),
                  absl::StrCat(at.root.path(), "/ckpt/k3v9x2mq/e4/step-10").c_str()) == 0);
  CHECK(absl::IsFailedPrecondition(at.folders.DeleteCheckpoint(Deletion("k3v9x2mq/e4/step-10"))));
  CHECK(FileExists(other));
  CHECK(FileExists(outside));
}

}  // namespace ddl::agent
