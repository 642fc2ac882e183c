#include "common/token_shard.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "common/digest.h"
#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

using Catch::Contains;

// A shard as llm.c's data scripts write it: header = np.zeros(256, int32), then uint16.
std::string ShardBytes(std::array<int32_t, 3> header, const std::vector<uint16_t>& tokens) {
  std::array<int32_t, 256> whole{};
  std::copy(header.begin(), header.end(), whole.begin());
  std::string bytes(reinterpret_cast<const char*>(whole.data()), sizeof whole);
  return bytes + std::string(reinterpret_cast<const char*>(tokens.data()), tokens.size() * 2);
}

std::string ShardErrorOf(const std::string& bytes) {
  const ScratchFolder folder;
  Spit(folder / "t.bin", bytes);
  const auto shard = TokenShard::Open(folder / "t.bin", 257);
  CHECK(shard.status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(shard.status().message()), Contains(folder / "t.bin"));
  return std::string(shard.status().message());
}

TEST_CASE("A shard in llm.c's format reads as its tokens") {
  const ScratchFolder folder;
  Spit(folder / "t.bin", ShardBytes({20240520, 1, 3}, {72, 105, 256}));
  const auto shard = TokenShard::Open(folder / "t.bin", 257);
  INFO(shard.status());
  REQUIRE(shard.ok());
  CHECK(std::vector<uint16_t>(shard->tokens().begin(), shard->tokens().end()) ==
        std::vector<uint16_t>{72, 105, 256});
  CHECK(shard->size() == 3);
}

TEST_CASE("A shard is written byte for byte in llm.c's format") {
  const ScratchFolder folder;
  const std::vector<uint16_t> tokens = {0, 255, 256, 65535};
  const auto written = WriteTokenShard(folder / "t.bin", tokens);
  REQUIRE(written.ok());
  const std::string expected = ShardBytes({20240520, 1, 4}, tokens);
  CHECK(Slurp(folder / "t.bin") == expected);
  CHECK(written->bytes == 1032);
  CHECK(written->sha256 == Sha256Hex(expected));
}

TEST_CASE("A missing shard is not found") {
  CHECK(TokenShard::Open("/nonexistent/t.bin", 257).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("Empty, truncated, over-long and foreign shards are refused with the rule") {
  const std::string good = ShardBytes({20240520, 1, 3}, {1, 2, 3});
  CHECK_THAT(ShardErrorOf(""), Contains("the file is empty"));
  CHECK_THAT(ShardErrorOf(good.substr(0, 1023)),
             Contains("truncated: the header needs 1024 bytes, the file has 1023"));
  for (size_t size = 1024; size < good.size(); ++size) {
    CHECK_THAT(
        ShardErrorOf(good.substr(0, size)),
        Contains("truncated: 3 tokens need 1030 bytes, the file has " + std::to_string(size)));
  }
  CHECK_THAT(ShardErrorOf(good + "x"), Contains("too long"));
  CHECK_THAT(ShardErrorOf(ShardBytes({20240521, 1, 3}, {1, 2, 3})),
             Contains("magic must be 20240520, got 20240521"));
  CHECK_THAT(ShardErrorOf(ShardBytes({20240520, 2, 3}, {1, 2, 3})),
             Contains("version must be 1, got 2"));
  CHECK_THAT(ShardErrorOf(ShardBytes({20240520, 1, 0}, {})), Contains("at least 1 token, got 0"));
  CHECK_THAT(ShardErrorOf(ShardBytes({20240520, 1, -1}, {1})),
             Contains("at least 1 token, got -1"));
}

TEST_CASE("A token beyond the vocabulary is refused with its value and position") {
  CHECK_THAT(ShardErrorOf(ShardBytes({20240520, 1, 4}, {0, 256, 257, 999})),
             Contains("token 257 at position 2 is beyond the vocabulary of 257"));
}

TEST_CASE("A shard without tokens cannot be written") {
  const ScratchFolder folder;
  CHECK(WriteTokenShard(folder / "t.bin", {}).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(folder.CountEntries() == 0);
}

}  // namespace
}  // namespace ddl
