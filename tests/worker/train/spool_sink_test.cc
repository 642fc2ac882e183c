#include "worker/train/spool_sink.h"

#include "proto/ddl/v1/events.pb.h"
#include "tests/common/small_disk.h"

namespace ddl {
namespace {

const absl::Time kNow = absl::FromUnixNanos(1'700'000'000'123'456'789);

std::vector<v1::RankEvent> ReadAll(const std::string& path) {
  std::vector<v1::RankEvent> events;
  auto reader = SpoolReader::Open(path);
  REQUIRE(reader.ok());
  while (true) {
    const auto record = reader->Next();
    REQUIRE(record.ok());
    if (!*record) return events;
    REQUIRE(events.emplace_back().ParseFromString(**record));
  }
}

TEST_CASE("Events are numbered from 1 without gaps and keep all their fields") {
  const ScratchFolder folder;
  const auto sink = SpoolSink::Open(folder / "spool", [] { return kNow; });
  REQUIRE(sink.ok());
  REQUIRE((*sink)->Write(RankStarted{.device = "cpu", .recipe_version = 1}).ok());
  REQUIRE((*sink)
              ->Write(StepRecord{
                  .step = 2,
                  .tokens = 64,
                  .samples = {{"gate_beta_mean", 0.1, {.layer = "3", .sublayer = "attn"}}}})
              .ok());
  REQUIRE((*sink)->Write(RankExited{.exit_code = 75, .exit_class = ExitClass::kPreempted}).ok());
  const std::vector<v1::RankEvent> events = ReadAll(folder / "spool");
  REQUIRE(events.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(events[i].seq() == i + 1);
    CHECK(events[i].time().seconds() == 1'700'000'000);
    CHECK(events[i].time().nanos() == 123'456'789);
  }
  CHECK(events[0].started().pid() == getpid());
  CHECK(events[1].step().samples(0).value() == 0.1);
  CHECK(events[1].step().samples(0).layer() == "3");
  CHECK(events[2].exited().class_() == v1::EXIT_CLASS_PREEMPTED);
}

TEST_CASE("A spool is written by one rank once") {
  const ScratchFolder folder;
  Spit(folder / "spool", "");
  CHECK(
      absl::IsFailedPrecondition(SpoolSink::Open(folder / "spool", [] { return kNow; }).status()));
}

TEST_CASE("A full disk holds events back, and they follow in order once there is room") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const std::string path = disk.folder() / "spool";
  const auto sink = SpoolSink::Open(path, [] { return kNow; });
  REQUIRE(sink.ok());
  const std::string ballast = disk.folder() / "ballast";
  Spit(ballast, std::string(kSmallDiskBytes, 'x'));
  const RunNotice notice{.severity = "info", .message = std::string(6000, 'n')};
  for (int i = 0; i < 5; ++i) REQUIRE((*sink)->Write(notice).ok());
  CHECK(absl::IsResourceExhausted((*sink)->Write(RankExited{})));  // It has to be durable now.
  std::filesystem::remove(ballast);
  REQUIRE((*sink)->Write(notice).ok());
  const std::vector<v1::RankEvent> events = ReadAll(path);
  REQUIRE(events.size() == 7);
  for (size_t i = 0; i < events.size(); ++i) CHECK(events[i].seq() == i + 1);
}

}  // namespace
}  // namespace ddl
