#include "cli/log_lines.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace ddl::cli {
namespace {

v1::LogChunk Chunk(const std::string& data, uint32_t rank = 0, uint64_t epoch = 1) {
  v1::LogChunk chunk;
  chunk.set_attempt(static_cast<uint32_t>(epoch));
  chunk.set_epoch(epoch);
  chunk.set_rank(rank);
  chunk.set_data(data);
  return chunk;
}

std::vector<std::string> Messages(const std::vector<LogEntry>& entries) {
  std::vector<std::string> messages;
  for (const LogEntry& entry : entries) messages.push_back(entry.message);
  return messages;
}

using Texts = std::vector<std::string>;

TEST_CASE("Pieces become lines wherever they are cut, rank by rank") {
  LogLines lines;
  CHECK(lines.Add(Chunk("fir")).empty());
  CHECK(Messages(lines.Add(Chunk("other\n", 1))) == Texts{"other"});
  CHECK(Messages(lines.Add(Chunk("st\n\nsecond\nthi"))) == Texts{"first", "second"});
  CHECK(Messages(lines.TakeRest()) == Texts{"thi"});
  CHECK(lines.TakeRest().empty());
}

TEST_CASE("A line's time and level are read from text and JSON, and its time goes on to the next") {
  LogLines lines;
  const auto entries = lines.Add(
      Chunk("no time yet\n2026-01-02T03:04:05.678Z warning ddl-rank: slow\n  a stack\n"
            "{\"ts\":\"2026-01-02T03:04:06.000Z\",\"level\":\"error\",\"message\":\"x\"}\n"
            "2026-01-02T03:04:01.000Z info    ddl-rank: a clock set back\n{not json\n"));
  REQUIRE(entries.size() == 6);
  const absl::Time first = absl::FromUnixMillis(1767323045678);
  CHECK_FALSE(entries[0].time);
  CHECK(entries[1].time == first);
  CHECK(entries[1].severity == "warning");
  CHECK(entries[2].time == first);
  CHECK(entries[2].severity.empty());
  CHECK(entries[3].time == first + absl::Milliseconds(322));
  CHECK(entries[3].severity == "error");
  CHECK(entries[4].time == entries[3].time);
  CHECK(entries[4].severity == "info");
  CHECK(entries[5].time == entries[3].time);
}

TEST_CASE("A filter keeps what matches and is young enough, what has no time is kept") {
  const absl::Time since = absl::FromUnixSeconds(1000);
  const auto filter = LogFilter::Make("val_loss|^E", since);
  REQUIRE(filter.ok());
  CHECK(filter->Keeps({since, 1, 0, "info", "step 3 val_loss 2.5"}));
  CHECK_FALSE(filter->Keeps({since - absl::Seconds(1), 1, 0, "info", "step 3 val_loss 2.5"}));
  CHECK_FALSE(filter->Keeps({since, 1, 0, "info", "step 3"}));
  CHECK(filter->Keeps({std::nullopt, 1, 0, "", "Exit"}));
  const auto bad = LogFilter::Make("a(b", absl::InfinitePast());
  CHECK(absl::IsInvalidArgument(bad.status()));
  CHECK(bad.status().message().find("a(b") != std::string::npos);
}

TEST_CASE("Sorting by time keeps the order of equal times and puts what has none last") {
  const absl::Time t = absl::UnixEpoch();
  std::vector<LogEntry> entries = {{std::nullopt, 0, {}, "", "none"},
                                   {t + absl::Seconds(2), 1, 0, "", "c"},
                                   {t, 1, 0, "", "a"},
                                   {t, 1, 1, "", "b"}};
  SortByTime(&entries);
  CHECK(Messages(entries) == Texts{"a", "b", "c", "none"});
}

TEST_CASE("Lines name their rank where there are several, and are safe for a terminal") {
  const LogEntry line{absl::UnixEpoch(), 1, 2, "info", "a\x1b[31m"};
  CHECK(TextOf(line, false) == "a\\x1b[31m\n");
  CHECK(TextOf(line, true) == "r2 | a\\x1b[31m\n");
  const LogEntry event{absl::UnixEpoch(), 1, std::nullopt, "error", "attempt 1 failed"};
  CHECK(TextOf(event, true) == "1970-01-01T00:00:00Z  error  attempt 1 failed\n");
  CHECK(JsonOf(event)["rank"].is_null());
  CHECK(JsonOf(line)["rank"] == 2);
}

}  // namespace
}  // namespace ddl::cli
