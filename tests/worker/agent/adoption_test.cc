#include "worker/agent/adoption.h"

#include <catch2/catch.hpp>

#include "tests/worker/agent/model_host.h"

namespace ddl::agent {
namespace {

FoundRank Found(uint32_t rank, std::optional<ProcessIdentity> process) {
  FoundRank found;
  found.key = {{"k3v9x2mq", 3}, rank};
  found.launch.set_world_size(2);
  found.launch.set_slot(rank);
  found.launch.set_rendezvous_port(4000);
  found.process = std::move(process);
  return found;
}

}  // namespace

TEST_CASE("A process with the recorded start time and boot is adopted") {
  ModelHost host;
  const FoundRank rank = Found(1, host.NewProcess());
  const Adoption adoption = Adopt({rank}, &host);
  CHECK(adoption.adopted == std::vector<RankKey>{rank.key});
  CHECK(adoption.gone.empty());
  const HeldAttempt& held = adoption.held.at(rank.key.attempt);
  CHECK(held.rendezvous_port == 4000);
  CHECK(held.ranks.at(1).slot == 1);
  CHECK_FALSE(held.ranks.at(1).gone);
}

TEST_CASE("A pid with another start time is another process and is not adopted") {
  ModelHost host;
  ProcessIdentity process = host.NewProcess();
  ++process.start_ticks;
  CHECK(Adopt({Found(0, process)}, &host).gone.size() == 1);
}

TEST_CASE("After a reboot nothing is adopted") {
  ModelHost host;
  const ProcessIdentity process = host.NewProcess();
  host.boot = "boot-2";
  CHECK(Adopt({Found(0, process)}, &host).gone.size() == 1);
}

TEST_CASE("A rank whose process was never recorded is not held: it may be started") {
  ModelHost host;
  CHECK(Adopt({Found(0, std::nullopt)}, &host).held.empty());
}

}  // namespace ddl::agent
