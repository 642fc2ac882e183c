#include "worker/train/stop_signal.h"

#include <csignal>

#include "absl/time/clock.h"
#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

TEST_CASE("A lease expires when its file was not touched for the time to live") {
  const ScratchFolder folder;
  const std::string file = folder / "lease";
  const absl::Time now = absl::Now();
  CHECK_FALSE(Lease("", absl::Seconds(1), now).Expired(now + absl::Hours(9)));

  const Lease lease(file, absl::Seconds(60), now);
  CHECK_FALSE(lease.Expired(now + absl::Seconds(59)));
  CHECK(lease.Expired(now + absl::Seconds(61)));  // It never was there.
  Spit(file, "");
  std::filesystem::last_write_time(
      file, std::filesystem::file_time_type::clock::now() - std::chrono::seconds(30));
  CHECK_FALSE(lease.Expired(now + absl::Seconds(25)));
  CHECK(lease.Expired(now + absl::Seconds(35)));
}

TEST_CASE("A stop signal is remembered and does not end the process") {
  CatchStopSignals();
  CHECK_FALSE(StopSignalled());
  REQUIRE(std::raise(SIGTERM) == 0);
  CHECK(StopSignalled());
}

}  // namespace
}  // namespace ddl
