#include "coordinator/core/liveness.h"

#include <catch2/catch.hpp>

namespace ddl::coordinator {
namespace {

constexpr auto kReady = v1::WORKER_STATE_READY;
constexpr auto kSuspect = v1::WORKER_STATE_SUSPECT;
constexpr auto kLost = v1::WORKER_STATE_LOST;

TEST_CASE("Silence of 10 seconds is suspect, of 30 seconds a loss") {
  Liveness liveness({}, absl::Seconds(100));
  liveness.Heard("w1", absl::Seconds(200));
  CHECK(liveness.Judge("w1", kReady, absl::Seconds(209.9)) == kReady);
  CHECK(liveness.Judge("w1", kReady, absl::Seconds(210)) == kSuspect);
  CHECK(liveness.Judge("w1", kSuspect, absl::Seconds(229.9)) == kSuspect);
  CHECK(liveness.Judge("w1", kSuspect, absl::Seconds(230)) == kLost);
  CHECK(liveness.IsFresh("w1", absl::Seconds(209)));
  CHECK_FALSE(liveness.IsFresh("w1", absl::Seconds(210)));
}

TEST_CASE("A suspect that is heard again is ready, a lost one must register") {
  Liveness liveness({}, absl::Seconds(0));
  liveness.Heard("w1", absl::Seconds(50));
  CHECK(liveness.Judge("w1", kSuspect, absl::Seconds(51)) == kReady);
  CHECK(liveness.Judge("w1", kLost, absl::Seconds(51)) == kLost);
}

TEST_CASE("After a restart nobody is lost before the adoption window ends") {
  const Liveness liveness({}, absl::Seconds(1000));
  CHECK(liveness.Judge("w1", kReady, absl::Seconds(1039)) == kReady);
  CHECK(liveness.Judge("w1", kSuspect, absl::Seconds(1059.9)) == kSuspect);
  CHECK(liveness.Judge("w1", kSuspect, absl::Seconds(1060)) == kLost);
  CHECK_FALSE(liveness.IsFresh("w1", absl::Seconds(1000)));
}

}  // namespace
}  // namespace ddl::coordinator
