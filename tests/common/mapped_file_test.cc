#include "common/mapped_file.h"

#include <catch2/catch.hpp>

#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

TEST_CASE("A mapped file shows its bytes, also after a move, and an empty file none") {
  const ScratchFolder folder;
  Spit(folder / "f", "bytes");
  Spit(folder / "empty", "");
  auto file = MappedFile::Open(folder / "f");
  REQUIRE(file.ok());
  MappedFile moved = *std::move(file);
  CHECK(moved.bytes() == "bytes");
  auto empty = MappedFile::Open(folder / "empty");
  REQUIRE(empty.ok());
  CHECK(empty->bytes().empty());
  moved = *std::move(empty);
  CHECK(moved.bytes().empty());
}

TEST_CASE("Only regular files are mapped") {
  const ScratchFolder folder;
  CHECK(MappedFile::Open(folder / "none").status().code() == absl::StatusCode::kNotFound);
  CHECK(MappedFile::Open(folder.path()).status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(MappedFile::Open("/dev/zero").status().code() == absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ddl
