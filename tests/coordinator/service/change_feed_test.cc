// Versions of changes, and waiting for them.
#include "coordinator/service/change_feed.h"

#include <catch2/catch.hpp>
#include <thread>

#include "absl/time/clock.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("a run that was never seen to change has the version of the start") {
  ChangeFeed feed;
  feed.Begin(10);
  CHECK(feed.VersionOf("a") == 10);
  feed.Publish(12, {"a"});
  feed.Publish(15, {"b"});
  CHECK(feed.VersionOf("a") == 12);
  CHECK(feed.VersionOf("b") == 15);
  CHECK(feed.VersionOf("c") == 10);
  CHECK(feed.version() == 15);
}

TEST_CASE("a wait ends with a newer version, at its time, and at the end of the feed") {
  ChangeFeed feed;
  feed.Begin(1);
  feed.WaitBeyond(0, absl::InfiniteFuture());  // Version 1 is already newer.
  feed.WaitBeyond(1, absl::Now() + absl::Milliseconds(20));
  CHECK(feed.version() == 1);
  std::thread publisher([&] { feed.Publish(2, {"a"}); });
  feed.WaitBeyond(1, absl::Now() + absl::Seconds(60));
  CHECK(feed.version() == 2);
  publisher.join();
  std::thread closer([&] { feed.Close(); });
  feed.WaitBeyond(2, absl::Now() + absl::Seconds(60));
  CHECK(feed.closed());
  closer.join();
}

}  // namespace
}  // namespace ddl::coordinator
