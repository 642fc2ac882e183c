#include "worker/agent/host_usage.h"

#include <catch2/catch.hpp>

#include "worker/agent/backoff.h"
#include "worker/agent/nvml.h"
#include "worker/agent/slots.h"

namespace ddl::agent {

TEST_CASE("Busy time is all but idle and waiting; guests are not counted twice") {
  const CpuTicks ticks = ParseCpuTicks("cpu  10 1 5 100 20 2 3 4 6 1\ncpu0 1 1 1\n");
  CHECK(ticks.all == 145);
  CHECK(ticks.busy == 25);
}

TEST_CASE("Kilobytes are read by their whole name") {
  const std::string text = "MemTotal:       1000 kB\nMemFree: 5 kB\nMemAvailable:    300 kB\n";
  CHECK(ParseKilobytes(text, "MemAvailable") == 300 * 1024);
  CHECK(ParseKilobytes(text, "Mem") == 0);
  CHECK(ResidentBytes() > 0);
}

TEST_CASE("Slots are of one kind: as many of the CPU as asked for, else one for each GPU") {
  const std::vector<Gpu> gpus = {{"GPU-1", "H100", "1", 80}, {"GPU-2", "H100", "1", 80}};
  CHECK(MakeSlots(3, "cpu model", gpus)->size() == 3);
  const auto slots = MakeSlots(0, "", gpus);
  REQUIRE(slots->size() == 2);
  CHECK((*slots)[1].device() == "cuda:1");
  CHECK((*slots)[1].uuid() == "GPU-2");
  CHECK(absl::IsInvalidArgument(MakeSlots(0, "", {}).status()));
}

TEST_CASE("Without NVIDIA's library there is no GPU, and that is said") {
  CHECK(absl::IsNotFound(Nvml::Open("libno-such-nvml.so.1").status()));
}

TEST_CASE("Delays between tries grow by 1.6 to 5 seconds, with full jitter") {
  Backoff backoff;
  CHECK(backoff.Next(0) == absl::ZeroDuration());
  CHECK(backoff.ceiling() == absl::Milliseconds(400));
  CHECK(backoff.Next(~uint64_t{0}) > absl::Milliseconds(399));
  for (int i = 0; i < 20; ++i) backoff.Next(0);
  CHECK(backoff.ceiling() == absl::Seconds(5));
  backoff.Reset();
  CHECK(backoff.ceiling() == absl::Milliseconds(250));
  CHECK(Jittered(absl::Seconds(2), 0) == absl::Seconds(1.6));
  CHECK(Jittered(absl::Seconds(2), ~uint64_t{0}) < absl::Seconds(2.4));
  CHECK(Jittered(absl::Seconds(2), ~uint64_t{0}) > absl::Seconds(2.39));
}

}  // namespace ddl::agent
