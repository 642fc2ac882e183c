#include "common/spool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "common/digest.h"
#include "tests/common/scratch_folder.h"
#include "tests/common/small_disk.h"

namespace ddl {
namespace {

using Records = std::vector<std::string>;

void Write(const std::string& path, const Records& records) {
  auto writer = SpoolWriter::Open(path);
  INFO(writer.status());
  REQUIRE(writer.ok());
  for (const std::string& record : records) REQUIRE(writer->Append(record, false).ok());
}

// The whole records, and the status that the reading ended with (OK: nothing more yet).
struct ReadResult {
  Records records;
  absl::Status status;
  int64_t offset = 0;
};
ReadResult Read(const std::string& path, int64_t offset = 0) {
  ReadResult result;
  auto reader = SpoolReader::Open(path, offset);
  REQUIRE(reader.ok());
  while (true) {
    auto next = reader->Next();
    result.offset = reader->offset();
    result.status = next.status();
    if (!next.ok() || !*next) return result;
    result.records.push_back(**next);
  }
}

const Records kThree = {"first", std::string("\0\xff second", 9), "third record"};

TEST_CASE("A record is length and CRC32C, little endian, and the payload") {
  const ScratchFolder folder;
  Write(folder / "s", {"123456789"});
  // CRC32C("123456789") is 0xE3069283 (RFC 3720).
  CHECK(Slurp(folder / "s") == std::string("\x09\0\0\0\x83\x92\x06\xe3"
                                           "123456789",
                                           17));
}

TEST_CASE("Records are read in order, and an offset goes on where a reader stopped") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  const ReadResult all = Read(folder / "s");
  CHECK(all.records == kThree);
  CHECK(all.status.ok());
  Write(folder / "s", {"fourth"});
  CHECK(Read(folder / "s", all.offset).records == Records{"fourth"});
  CHECK(SpoolReader::Open(folder / "none").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("A file cut at any byte has the whole records before, and waits") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  const std::string bytes = Slurp(folder / "s");
  std::vector<size_t> ends = {0};
  for (const std::string& record : kThree) ends.push_back(ends.back() + 8 + record.size());
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    INFO("cut at " << cut);
    Spit(folder / "t", bytes.substr(0, cut));
    size_t whole = 0;
    while (whole < kThree.size() && ends[whole + 1] <= cut) ++whole;
    const ReadResult result = Read(folder / "t");
    CHECK(result.status.ok());
    CHECK(result.records == Records(kThree.begin(), kThree.begin() + static_cast<long>(whole)));
    CHECK(result.offset == static_cast<int64_t>(ends[whole]));

    // A writer cuts the torn tail off, and what it adds is read next.
    Write(folder / "t", {"new"});
    Records expected(kThree.begin(), kThree.begin() + static_cast<long>(whole));
    expected.push_back("new");
    CHECK(Read(folder / "t").records == expected);
  }
}

TEST_CASE("A reader that met a torn tail reads the record once it is whole") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  const std::string bytes = Slurp(folder / "s");
  Spit(folder / "t", "");
  auto reader = SpoolReader::Open(folder / "t");
  REQUIRE(reader.ok());
  Records read;
  for (const char byte : bytes) {
    std::ofstream(folder / "t", std::ios::app | std::ios::binary).put(byte);
    const auto next = reader->Next();
    REQUIRE(next.ok());
    if (*next) read.push_back(**next);
  }
  CHECK(read == kThree);
}

TEST_CASE("A flipped bit is never read as a record, and damage is named with its offset") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  const std::string bytes = Slurp(folder / "s");
  const size_t second = 8 + kThree[0].size();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    INFO("bit " << bit);
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    Spit(folder / "t", flipped);
    const ReadResult result = Read(folder / "t");
    for (size_t i = 0; i < result.records.size(); ++i) CHECK(result.records[i] == kThree[i]);
    CHECK(result.records.size() < 3);
    const bool in_length = bit / 8 % 1000 < 4 || (bit / 8 >= second && bit / 8 < second + 4);
    if (!in_length && bit / 8 < second + 8 + kThree[1].size()) {
      CHECK(result.status.code() == absl::StatusCode::kDataLoss);
      CHECK_THAT(std::string(result.status.message()),
                 Catch::Contains("offset " + std::to_string(result.offset)));
      // A writer does not go on behind damage.
      CHECK(SpoolWriter::Open(folder / "t").status().code() == absl::StatusCode::kDataLoss);
    }
  }
}

TEST_CASE("Lengths of zero and over the limit are damage") {
  const ScratchFolder folder;
  Spit(folder / "s", std::string(16, '\0'));
  CHECK(Read(folder / "s").status.code() == absl::StatusCode::kDataLoss);
  Spit(folder / "s", std::string("\xff\xff\xff\x7f", 4) + std::string(100, 'x'));
  CHECK_THAT(std::string(Read(folder / "s").status.message()),
             Catch::Contains("claims a length of 2147483647"));
}

TEST_CASE("A record has 1 byte to 1 MiB") {
  const ScratchFolder folder;
  auto writer = SpoolWriter::Open(folder / "s");
  REQUIRE(writer.ok());
  CHECK(writer->Append("", false).code() == absl::StatusCode::kInvalidArgument);
  const std::string largest(kMaxSpoolRecordBytes, 'x');
  CHECK(writer->Append(largest + "x", false).code() == absl::StatusCode::kInvalidArgument);
  CHECK(writer->Append(largest, true).ok());
  CHECK(Read(folder / "s").records == Records{largest});
}

TEST_CASE("A reader beside a writing process reads every record once and in order") {
  const ScratchFolder folder;
  constexpr int kRecords = 3000;
  const auto record = [](int i) { return std::to_string(i) + std::string(i % 977, 'x'); };
  Spit(folder / "s", "");
  const pid_t child = fork();
  if (child == 0) {
    auto writer = SpoolWriter::Open(folder / "s");
    bool good = writer.ok();
    for (int i = 0; i < kRecords && good; ++i) good = writer->Append(record(i), i % 500 == 0).ok();
    _exit(good ? 0 : 1);
  }
  auto reader = SpoolReader::Open(folder / "s");
  REQUIRE(reader.ok());
  int read = 0;
  int status = 0;
  bool alive = true;
  while (true) {
    const auto next = reader->Next();
    REQUIRE(next.ok());
    if (*next) {
      REQUIRE(**next == record(read));
      ++read;
    } else if (!alive) {
      break;
    } else {
      alive = waitpid(child, &status, WNOHANG) == 0;
    }
  }
  CHECK(status == 0);
  CHECK(read == kRecords);
}

TEST_CASE("On a full disk a record is refused whole, and the spool goes on when there is room") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const std::string path = disk.folder() / "s";
  auto writer = SpoolWriter::Open(path);
  REQUIRE(writer.ok());
  const std::string record(3000, 'r');
  int written = 0;
  absl::Status status;
  while ((status = writer->Append(record, true)).ok()) ++written;
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(written > 10);
  CHECK(Read(path).records.size() == static_cast<size_t>(written));
  CHECK(Slurp(path).size() == static_cast<size_t>(written) * 3008);
  CHECK(writer->Append(std::string(200, 'y'), true).ok());
  const ReadResult after = Read(path);
  CHECK(after.status.ok());
  CHECK(after.records.size() == static_cast<size_t>(written) + 1);
}

}  // namespace
}  // namespace ddl
