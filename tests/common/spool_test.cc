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

constexpr size_t kHeaderBytes = 12;
const Records kThree = {"first", std::string("\0\xff second", 9), "third record"};

TEST_CASE("A record is length, CRC32C of payload and of both, little endian, and the payload") {
  const ScratchFolder folder;
  Write(folder / "s", {"123456789"});
  // CRC32C("123456789") is 0xE3069283 (RFC 3720); that of the eight bytes before it was computed
  // bit by bit from the polynomial.
  CHECK(Slurp(folder / "s") == std::string("\x09\0\0\0\x83\x92\x06\xe3"
                                           "\x69\xd9\xe8\x9a"
                                           "123456789",
                                           21));
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
  for (const std::string& record : kThree) {
    ends.push_back(ends.back() + kHeaderBytes + record.size());
  }
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

// Flips every bit of `bytes`, which end in `torn` bytes of a record that is not whole, and checks
// that reader and writer name the record that was hit. Bits of the torn payload stay unknown until
// its sum can be taken: there a reader waits and a writer cuts.
void CheckEveryFlippedBit(const std::string& bytes, size_t torn) {
  const ScratchFolder folder;
  const size_t torn_payload = bytes.size() - (torn > kHeaderBytes ? torn - kHeaderBytes : 0);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const size_t at = bit / 8;
    if (torn > 0 && torn < kHeaderBytes && at >= bytes.size() - torn) break;
    INFO("bit " << bit << " of " << bytes.size() << " bytes, " << torn << " of them torn");
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit % 8));
    Spit(folder / "t", flipped);
    size_t start = 0;
    size_t before = 0;
    while (before < kThree.size() && at >= start + kHeaderBytes + kThree[before].size()) {
      start += kHeaderBytes + kThree[before++].size();
    }
    const ReadResult result = Read(folder / "t");
    CHECK(result.records == Records(kThree.begin(), kThree.begin() + static_cast<long>(before)));
    CHECK(result.offset == static_cast<int64_t>(start));
    if (at >= torn_payload) {
      CHECK(result.status.ok());
      continue;
    }
    CHECK(result.status.code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(std::string(result.status.message()),
               Catch::Contains("offset " + std::to_string(start) + " "));
    // A writer does not go on behind damage, and leaves it as evidence.
    CHECK(SpoolWriter::Open(folder / "t").status().code() == absl::StatusCode::kDataLoss);
    CHECK(Slurp(folder / "t") == flipped);
  }
}

TEST_CASE("Any flipped bit of a whole record is damage, named with its offset") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  CheckEveryFlippedBit(Slurp(folder / "s"), 0);
}

TEST_CASE("A flipped bit before a torn tail, or in its whole header, is damage and no torn tail") {
  const ScratchFolder folder;
  Write(folder / "s", kThree);
  const std::string bytes = Slurp(folder / "s");
  const size_t last = kHeaderBytes + kThree[2].size();
  for (size_t torn = 1; torn < last; ++torn) {
    CheckEveryFlippedBit(bytes.substr(0, bytes.size() - last + torn), torn);
  }
}

std::string LittleEndian(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  return bytes;
}

TEST_CASE("Lengths of zero and over the limit are damage, even where the header's sum is right") {
  const ScratchFolder folder;
  Spit(folder / "s", std::string(16, '\0'));
  CHECK(Read(folder / "s").status.code() == absl::StatusCode::kDataLoss);
  for (const uint32_t length : {0U, kMaxSpoolRecordBytes + 1, 0x7FFFFFFFU}) {
    const std::string summed = LittleEndian(length) + std::string(4, '\0');
    Spit(folder / "s", summed + LittleEndian(Crc32c(summed)) + std::string(100, 'x'));
    CHECK_THAT(std::string(Read(folder / "s").status.message()),
               Catch::Contains("claims a length of " + std::to_string(length)));
  }
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
  CHECK(Slurp(path).size() == static_cast<size_t>(written) * 3012);
  CHECK(writer->Append(std::string(200, 'y'), true).ok());
  const ReadResult after = Read(path);
  CHECK(after.status.ok());
  CHECK(after.records.size() == static_cast<size_t>(written) + 1);
}

}  // namespace
}  // namespace ddl
