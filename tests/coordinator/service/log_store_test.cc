#include "coordinator/service/log_store.h"

#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {
namespace {

const LogKey kLog{"k3v9x2mq", 2, 0};

struct Logs {
  explicit Logs(const LogLimits& limits = {}) : store(*LogStore::Open(folder / "logs", limits)) {}
  LogStore::Taken Append(uint64_t offset, const std::string& data, bool end = false,
                         const LogKey& key = kLog) {
    const auto taken = store->Append(key, offset, data, end);
    REQUIRE(taken.ok());
    return *taken;
  }
  std::string All(const LogKey& key = kLog) const { return *store->Read(key, 0, 1 << 20); }

  ScratchFolder folder;
  std::unique_ptr<LogStore> store;
};

TEST_CASE("pieces that are lost, repeated, late or overlap leave the log of the rank") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::string log;
  for (int i = 0; i < 5000; ++i) log.push_back(static_cast<char>('a' + random() % 26));
  Logs logs;
  uint64_t next = 0;
  while (next < log.size()) {
    // Before or at the cursor, or beyond it as after a lost reply; the store says where to go on.
    const uint64_t from = random() % 3 == 0 ? random() % log.size() : next;
    const LogStore::Taken taken = logs.Append(from, log.substr(from, random() % 300));
    CHECK(taken.next_offset >= next);
    next = taken.next_offset;
    CHECK(logs.All() == log.substr(0, next));
  }
  CHECK(logs.Append(log.size(), "", true).complete);
  CHECK(logs.store->IsComplete(kLog));
  CHECK(logs.All() == log);
}

TEST_CASE("nothing is added behind the end, also after a restart") {
  Logs logs;
  CHECK_FALSE(logs.Append(0, "one\n").complete);
  CHECK(logs.Append(4, "two\n", true).complete);
  CHECK(logs.Append(8, "three\n").next_offset == 8);
  logs.store = *LogStore::Open(logs.folder / "logs", {});
  CHECK(logs.Append(8, "three\n").complete);
  CHECK(logs.All() == "one\ntwo\n");
  CHECK_FALSE(logs.Append(0, "", false, {"k3v9x2mq", 3, 0}).complete);
}

TEST_CASE("an end that does not follow what is there ends nothing") {
  Logs logs;
  logs.Append(0, "0123456789");
  CHECK_FALSE(logs.Append(20, "later", true).complete);
  CHECK_FALSE(logs.Append(0, "0123", true).complete);
  CHECK(logs.Append(10, "", true).complete);
}

TEST_CASE("a log beyond the limit is cut, marked and complete") {
  Logs logs({.rank_bytes = 100});
  logs.Append(0, std::string(90, 'x'));
  const LogStore::Taken taken = logs.Append(90, std::string(50, 'y'));
  CHECK(taken.complete);
  CHECK(taken.next_offset == 100);
  CHECK(absl::StartsWith(logs.All(), std::string(90, 'x') + std::string(10, 'y') + "\n["));
  CHECK(absl::StrContains(logs.All(), "keeps 100 bytes"));
}

TEST_CASE("when all logs together are too large, the run that wrote longest ago goes") {
  Logs logs({.rank_bytes = 1000, .total_bytes = 2500});
  for (const char* run : {"aaaaaaaa", "bbbbbbbb", "cccccccc"}) {
    logs.Append(0, std::string(900, 'x'), true, {run, 1, 0});
  }
  CHECK(logs.All({"aaaaaaaa", 1, 0}).empty());
  CHECK(logs.All({"bbbbbbbb", 1, 0}).size() == 900);
  CHECK(logs.All({"cccccccc", 1, 0}).size() == 900);
}

TEST_CASE("a wait ends with the next append") {
  Logs logs;
  const uint64_t before = logs.store->version();
  logs.Append(0, "x");
  logs.store->WaitBeyond(before, absl::InfiniteFuture());
  CHECK(logs.store->version() > before);
}

}  // namespace
}  // namespace ddl::coordinator
