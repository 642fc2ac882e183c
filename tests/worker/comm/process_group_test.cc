#include "worker/comm/process_group.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/worker/torch_test.h"
#include "worker/comm/listen.h"

namespace ddl {
namespace {

// A port that was free a moment ago.
uint16_t FreePort() {
  const auto fd = Listen("127.0.0.1", 0);
  REQUIRE(fd.ok());
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(*fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(*fd);
  return ntohs(address.sin_port);
}

Rendezvous At(uint16_t port, int64_t rank, int64_t size) {
  return {.host = "127.0.0.1",
          .port = port,
          .bind_address = "127.0.0.1",
          .epoch = 3,
          .rank = rank,
          .size = size,
          .join_timeout = absl::Seconds(20),
          .step_timeout = absl::Seconds(20)};
}

TEST_CASE("A rank that is alone sums nothing and needs nobody") {
  const auto alone = Join({});
  REQUIRE(alone.ok());
  at::Tensor tensor = at::ones({3});
  CHECK((*alone)->Sum(tensor).ok());
  CHECK(at::equal(tensor, at::ones({3})));
  CHECK((*alone)->size() == 1);
}

TEST_CASE("Three ranks get the same sum, in float32 and float64") {
  const uint16_t port = FreePort();
  std::vector<at::Tensor> sums(6);
  std::vector<std::thread> ranks;
  for (int64_t rank = 0; rank < 3; ++rank) {
    ranks.emplace_back([&, rank] {
      const auto group = Join(At(port, rank, 3));
      if (!group.ok()) return;
      for (const auto type : {at::kFloat, at::kDouble}) {
        at::Tensor tensor = at::arange(5, type) * static_cast<double>(rank + 1);
        if (!(*group)->Sum(tensor).ok()) return;
        sums[static_cast<size_t>(2 * rank + (type == at::kDouble ? 1 : 0))] = tensor;
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
  for (const at::Tensor& sum : sums) {
    REQUIRE(sum.defined());
    CHECK(at::equal(sum.to(at::kDouble), at::arange(5, at::kDouble) * 6));
  }
}

TEST_CASE("A lost peer ends the others' sum at once") {
  const uint16_t port = FreePort();
  std::thread peer([port] {
    const auto group = Join(At(port, 1, 2));
    at::Tensor tensor = at::ones({2});
    if (group.ok()) (*group)->Sum(tensor).IgnoreError();
  });
  const auto group = Join(At(port, 0, 2));
  REQUIRE(group.ok());
  at::Tensor tensor = at::ones({2});
  CHECK((*group)->Sum(tensor).ok());
  peer.join();
  const absl::Time start = absl::Now();
  const absl::Status status = (*group)->Sum(tensor);
  CHECK(absl::IsUnavailable(status));
  CHECK(absl::Now() - start < absl::Seconds(5));
}

TEST_CASE("A port that is taken is named") {
  const auto taken = Listen("127.0.0.1", 0);
  REQUIRE(taken.ok());
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(*taken, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const auto group = Join(At(ntohs(address.sin_port), 0, 2));
  REQUIRE(absl::IsUnavailable(group.status()));
  CHECK_THAT(std::string(group.status().message()), Catch::Contains("cannot listen on 127.0.0.1:"));
  close(*taken);
}

}  // namespace
}  // namespace ddl
