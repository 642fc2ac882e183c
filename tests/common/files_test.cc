#include "common/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <thread>

#include "tests/common/scratch_folder.h"
#include "tests/common/small_disk.h"

namespace ddl {
namespace {

TEST_CASE("A file is read whole, up to its limit") {
  const ScratchFolder folder;
  const std::string bytes(200'000, 'b');
  Spit(folder / "f", bytes);
  CHECK(*ReadFile(folder / "f") == bytes);
  CHECK(*ReadFile(folder / "f", 200'000) == bytes);
  const auto large = ReadFile(folder / "f", 199'999);
  CHECK(large.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(large.status().message() == folder / "f is larger than 199999 bytes");
  Spit(folder / "empty", "");
  CHECK(ReadFile(folder / "empty")->empty());
}

TEST_CASE("What is no regular file is not read, and a FIFO does not block") {
  const ScratchFolder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(ReadFile(folder / "none").status().code() == absl::StatusCode::kNotFound);
  CHECK(ReadFile(folder.path()).status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(ReadFile(folder / "fifo").status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(ReadFile("/dev/zero").status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("An atomic write replaces the file and leaves nothing else") {
  const ScratchFolder folder;
  REQUIRE(WriteFileAtomically(folder / "f", "one").ok());
  REQUIRE(WriteFileAtomically(folder / "f", std::string("t\0o", 3)).ok());
  CHECK(Slurp(folder / "f") == std::string("t\0o", 3));
  CHECK(folder.CountEntries() == 1);
  struct stat status {};
  REQUIRE(stat((folder / "f").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("A reader of a file that is being replaced sees the old or the new bytes, never a part") {
  const ScratchFolder folder;
  const std::string a(50'000, 'a');
  const std::string b(70'000, 'b');
  REQUIRE(WriteFileAtomically(folder / "f", a).ok());
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int i = 0; i < 100; ++i) {
      if (!WriteFileAtomically(folder / "f", i % 2 == 0 ? b : a).ok()) break;
    }
    done = true;
  });
  int reads = 0;
  while (!done) {
    const auto bytes = ReadFile(folder / "f");
    REQUIRE(bytes.ok());
    REQUIRE((*bytes == a || *bytes == b));
    ++reads;
  }
  CHECK(reads > 0);
}

TEST_CASE("A failed write leaves the old file and no temporary one") {
  const ScratchFolder folder;
  CHECK(WriteFileAtomically(folder / "none/f", "x").code() == absl::StatusCode::kNotFound);
  REQUIRE(mkdir((folder / "d").c_str(), 0700) == 0);
  CHECK_FALSE(WriteFileAtomically(folder / "d", "x").ok());
  CHECK(folder.CountEntries() == 1);
}

TEST_CASE("On a full disk an atomic write is resource exhausted and keeps the old file") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const std::string path = disk.folder() / "f";
  REQUIRE(WriteFileAtomically(path, "old").ok());
  CHECK(WriteFileAtomically(path, std::string(kSmallDiskBytes * 2, 'x')).code() ==
        absl::StatusCode::kResourceExhausted);
  CHECK(Slurp(path) == "old");
  CHECK(disk.folder().CountEntries() == 1);
}

TEST_CASE("Folders are made with their parents, and again without harm") {
  const ScratchFolder folder;
  CHECK(MakeFolders(folder / "a/b/c").ok());
  CHECK(MakeFolders(folder / "a/b/c").ok());
  CHECK(MakeFolders(folder / "a/b/c/").ok());
  CHECK(MakeFolders("/").ok());
  struct stat status {};
  REQUIRE(stat((folder / "a/b").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  Spit(folder / "file", "");
  CHECK(MakeFolders(folder / "file").code() == absl::StatusCode::kFailedPrecondition);
  CHECK_FALSE(MakeFolders(folder / "file/x").ok());
}

TEST_CASE("Removing a tree follows no link out of it") {
  const ScratchFolder folder;
  REQUIRE(MakeFolders(folder / "keep").ok());
  REQUIRE(MakeFolders(folder / "tree/deep").ok());
  Spit(folder / "keep/precious", "x");
  Spit(folder / "tree/deep/f", "x");
  REQUIRE(symlink((folder / "keep").c_str(), (folder / "tree/link").c_str()) == 0);
  CHECK(RemoveTree(folder / "tree").ok());
  CHECK_FALSE(FileExists(folder / "tree"));
  CHECK(FileExists(folder / "keep/precious"));
  CHECK(RemoveTree(folder / "tree").ok());
}

TEST_CASE("A folder is listed by name") {
  const ScratchFolder folder;
  for (const char* name : {"b", "a", ".hidden", "c"}) Spit(folder / name, "");
  CHECK(*ListFolder(folder.path()) == std::vector<std::string>{".hidden", "a", "b", "c"});
  CHECK(ListFolder(folder / "none").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("The codes of errno say what to do") {
  const auto code = [](int error) {
    errno = error;
    return ErrnoStatus("cannot open", "f").code();
  };
  CHECK(code(ENOENT) == absl::StatusCode::kNotFound);
  CHECK(code(EACCES) == absl::StatusCode::kPermissionDenied);
  CHECK(code(ENOSPC) == absl::StatusCode::kResourceExhausted);
  CHECK(code(EDQUOT) == absl::StatusCode::kResourceExhausted);
  CHECK(code(EIO) == absl::StatusCode::kInternal);
  errno = ENOENT;
  CHECK(ErrnoStatus("cannot open", "f").message() == "cannot open f: No such file or directory");
}

}  // namespace
}  // namespace ddl
