#include "common/digest.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <random>
#include <sstream>

#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

TEST_CASE("SHA-256 of the published examples") {
  // FIPS 180-2, appendix B, and the empty message.
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(Sha256Hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 in pieces is that of the whole") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::string whole;
  Sha256 sha;
  for (int piece = 0; piece < 50; ++piece) {
    const std::string bytes(random() % 200, static_cast<char>(random()));
    sha.Update(bytes);
    whole += bytes;
  }
  Sha256 moved = std::move(sha);
  CHECK(moved.FinishHex() == Sha256Hex(whole));
}

TEST_CASE("SHA-256 of a file is that of its bytes, as sha256sum prints it") {
  const ScratchFolder folder;
  std::string bytes((size_t{3} << 20) + 17, 'q');  // More than the reader's buffer.
  bytes[5] = '\0';
  Spit(folder / "f", bytes);
  CHECK(*Sha256HexOfFile(folder / "f") == Sha256Hex(bytes));
  std::FILE* const pipe = popen(("sha256sum " + (folder / "f")).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string printed(64, ' ');
  CHECK(std::fread(printed.data(), 1, printed.size(), pipe) == printed.size());
  pclose(pipe);
  CHECK(*Sha256HexOfFile(folder / "f") == printed);
  CHECK(Sha256HexOfFile(folder / "none").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("CRC32C of the published examples") {
  // RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
  CHECK(Crc32c("123456789") == 0xE3069283);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(Crc32c(std::string(32, '\xff')) == 0x62A8AB43);
  std::string up;
  for (int i = 0; i < 32; ++i) up.push_back(static_cast<char>(i));
  CHECK(Crc32c(up) == 0x46DD794E);
  CHECK(Crc32c(std::string(up.rbegin(), up.rend())) == 0x113FDB5C);
  CHECK(Crc32c("") == 0);
}

TEST_CASE("CRC32C notices every flipped bit and every swap of neighbours") {
  const std::string bytes = "The quick brown fox jumps over the lazy dog";
  const uint32_t crc = Crc32c(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    CHECK(Crc32c(flipped) != crc);
  }
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    std::string swapped = bytes;
    std::swap(swapped[i], swapped[i + 1]);
    if (swapped != bytes) CHECK(Crc32c(swapped) != crc);
  }
}

}  // namespace
}  // namespace ddl
