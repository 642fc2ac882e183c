#include "worker/agent/host_usage.h"

#include <catch2/catch.hpp>

namespace ddl::agent {

TEST_CASE("Busy time is all but idle and waiting, guests are not counted twice") {
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

}  // namespace ddl::agent
