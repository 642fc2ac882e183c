#include "common/file_writer.h"

#include <catch2/catch.hpp>

#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

TEST_CASE("A finished file has every piece and its digest") {
  const ScratchFolder folder;
  auto writer = FileWriter::Create(folder / "f");
  REQUIRE(writer.ok());
  REQUIRE(writer->Append("ab").ok());
  REQUIRE(writer->Append("").ok());
  REQUIRE(writer->Append("c").ok());
  CHECK_FALSE(std::filesystem::exists(folder / "f"));
  const auto written = writer->Finish();
  REQUIRE(written.ok());
  CHECK(written->bytes == 3);
  // FIPS 180-2, appendix B.1.
  CHECK(written->sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Slurp(folder / "f") == "abc");
  CHECK(folder.CountEntries() == 1);
}

TEST_CASE("A writer that does not finish leaves the old file and nothing else") {
  const ScratchFolder folder;
  Spit(folder / "f", "old");
  {
    auto writer = FileWriter::Create(folder / "f");
    REQUIRE(writer.ok());
    REQUIRE(writer->Append("new").ok());
    const FileWriter moved = *std::move(writer);
    CHECK(folder.CountEntries() == 2);
  }
  CHECK(Slurp(folder / "f") == "old");
  CHECK(folder.CountEntries() == 1);
}

TEST_CASE("A folder that is not there is an error that names the file") {
  const ScratchFolder folder;
  const auto writer = FileWriter::Create(folder / "none/f");
  CHECK(writer.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(writer.status().message()), Catch::Contains(folder / "none/f"));
}

}  // namespace
}  // namespace ddl
