#include "worker/agent/file_spools.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/spool.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {
namespace {

const RankKey kRank{{"k3v9x2mq", 1}, 0};

struct Spooled {
  Spooled() { REQUIRE(MakeFolders(folders.FolderOf(kRank)).ok()); }
  std::string Path() const { return absl::StrCat(folders.FolderOf(kRank), "/spool"); }
  void Append(uint64_t seq, size_t bytes = 10) {
    auto writer = SpoolWriter::Open(Path());
    REQUIRE(writer.ok());
    v1::RankEvent event;
    event.set_seq(seq);
    event.mutable_notice()->set_message(std::string(bytes, 'x'));
    REQUIRE(writer->Append(event.SerializeAsString(), false).ok());
  }

  TemporaryFolder root;
  RunFolders folders{root.path(), root.path()};
  FileSpools spools{&folders};
};

}  // namespace

TEST_CASE("Any part of a spool can be read, in any order") {
  Spooled at;
  CHECK(at.spools.Read(kRank, 0, {})->empty());
  const uint64_t count = 1300;
  {
    auto writer = SpoolWriter::Open(at.Path());
    for (uint64_t seq = 1; seq <= count; ++seq) {
      v1::RankEvent event;
      event.set_seq(seq);
      REQUIRE(writer->Append(event.SerializeAsString(), false).ok());
    }
  }
  const unsigned seed = 7;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 200; ++i) {
    const uint64_t after = random() % (count + 5);
    ReadLimits limits;
    limits.events = static_cast<int>(random() % 40) + 1;
    const auto events = at.spools.Read(kRank, after, limits);
    REQUIRE(events.ok());
    const uint64_t left = after >= count ? 0 : count - after;
    REQUIRE(events->size() == std::min<uint64_t>(left, static_cast<uint64_t>(limits.events)));
    for (size_t n = 0; n < events->size(); ++n) REQUIRE((*events)[n].seq() == after + 1 + n);
  }
}

TEST_CASE("A batch stays within its bytes, but for one large event") {
  Spooled at;
  at.Append(1, 5000);
  at.Append(2, 400);
  at.Append(3, 400);
  ReadLimits limits;
  limits.bytes = 1000;
  CHECK(at.spools.Read(kRank, 0, limits)->size() == 1);
  CHECK(at.spools.Read(kRank, 1, limits)->size() == 2);
}

TEST_CASE("A torn tail is read once it is whole, damage is named behind what is good") {
  Spooled at;
  at.Append(1);
  at.Append(2);
  const std::string whole = *ReadFile(at.Path());
  REQUIRE(truncate(at.Path().c_str(), static_cast<off_t>(whole.size()) - 3) == 0);
  CHECK(at.spools.Read(kRank, 0, {})->size() == 1);
  REQUIRE(WriteFileAtomically(at.Path(), whole).ok());
  CHECK(at.spools.Read(kRank, 0, {})->size() == 2);

  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  REQUIRE(WriteFileAtomically(at.Path(), flipped).ok());
  FileSpools fresh(&at.folders);
  CHECK(fresh.Read(kRank, 0, {})->size() == 1);
  CHECK(absl::IsDataLoss(fresh.Read(kRank, 1, {}).status()));
}

TEST_CASE("A gap in the numbers is damage") {
  Spooled at;
  at.Append(1);
  at.Append(3);
  CHECK(at.spools.Read(kRank, 0, {})->size() == 1);
  CHECK(absl::IsDataLoss(at.spools.Read(kRank, 1, {}).status()));
}

}  // namespace ddl::agent
