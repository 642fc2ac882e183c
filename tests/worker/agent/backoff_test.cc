#include "worker/agent/backoff.h"

#include <catch2/catch.hpp>

namespace ddl::agent {

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
  CHECK(Jittered(absl::Seconds(2), ~uint64_t{0}) <= absl::Seconds(2.4));
  CHECK(Jittered(absl::Seconds(2), ~uint64_t{0}) > absl::Seconds(2.39));
}

}  // namespace ddl::agent
