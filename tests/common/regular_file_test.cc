#include "common/regular_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <utility>

#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

TEST_CASE("A regular file is open with its size until its owner goes, and moves to another") {
  const ScratchFolder folder;
  Spit(folder / "f", "twelve bytes");
  int fd = -1;
  {
    auto file = RegularFile::Open(folder / "f");
    REQUIRE(file.ok());
    CHECK(file->bytes() == 12);
    const RegularFile other = *std::move(file);
    fd = other.fd();
    char first = 0;
    CHECK(read(fd, &first, 1) == 1);
    CHECK(first == 't');
  }
  char byte = 0;
  CHECK(read(fd, &byte, 1) == -1);
}

TEST_CASE("A folder, a device, and a FIFO that nobody writes are refused at once") {
  const ScratchFolder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  for (const std::string& path : {folder.path(), std::string("/dev/zero"), folder / "fifo"}) {
    const absl::Status status = RegularFile::Open(path).status();
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(status.message() == path + " is not a regular file");
  }
  CHECK(RegularFile::Open(folder / "none").status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddl
