#include "coordinator/core/placement.h"

#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"

namespace ddl::coordinator {
namespace {

WorkerRoom Room(const std::string& name, uint32_t free, uint32_t slots = 0) {
  WorkerRoom room{name, "default", {}, slots == 0 ? free : slots};
  for (uint32_t i = 0; i < free; ++i) room.free.push_back(i);
  return room;
}

QueuedRun Waiting(const std::string& id, uint32_t ranks, int32_t priority = 50, uint64_t age = 0) {
  return {id, "default", ranks, priority, {age, 0}, {}};
}

std::vector<std::string> Ids(const std::vector<PlacedRun>& plan) {
  std::vector<std::string> ids;
  for (const PlacedRun& placed : plan) ids.push_back(placed.id);
  return ids;
}

std::vector<std::string> WorkersOf(const PlacedRun& placed) {
  std::vector<std::string> workers;
  for (const PlacedRank& rank : placed.ranks) workers.push_back(rank.worker);
  return workers;
}

using Strings = std::vector<std::string>;

TEST_CASE("Higher priority starts first, then the older") {
  const auto plan = PlanPlacements(
      {Room("w1", 2)},
      {Waiting("young", 1, 50, 3), Waiting("old", 1, 50, 1), Waiting("urgent", 1, 90, 9)});
  CHECK(Ids(plan) == Strings{"urgent", "old"});
}

TEST_CASE("A gang that waits is not overtaken by smaller ones behind it") {
  const auto plan =
      PlanPlacements({Room("w1", 1, 4)}, {Waiting("gang", 4, 50, 1), Waiting("small", 1, 50, 2)});
  CHECK(plan.empty());
}

TEST_CASE("A run that no workers could hold blocks nobody") {
  const auto plan =
      PlanPlacements({Room("w1", 1)}, {Waiting("huge", 9, 50, 1), Waiting("small", 1, 50, 2)});
  CHECK(Ids(plan) == Strings{"small"});
}

TEST_CASE("Pools do not block each other") {
  WorkerRoom other = Room("w2", 1);
  other.pool = "other";
  QueuedRun there = Waiting("there", 1, 50, 2);
  there.pool = "other";
  const auto plan = PlanPlacements({Room("w1", 1, 2), other}, {Waiting("gang", 2, 50, 1), there});
  CHECK(Ids(plan) == Strings{"there"});
}

TEST_CASE("A run takes the tightest worker that holds all of it") {
  const auto plan = PlanPlacements({Room("a", 8), Room("b", 2), Room("c", 4)}, {Waiting("r", 2)});
  CHECK(WorkersOf(plan.at(0)) == Strings{"b", "b"});
}

TEST_CASE("A run that fits nowhere whole takes as few workers as it can") {
  const auto plan = PlanPlacements({Room("a", 1), Room("b", 3), Room("c", 2)}, {Waiting("r", 5)});
  CHECK(WorkersOf(plan.at(0)) == Strings{"b", "b", "b", "c", "c"});
}

TEST_CASE("An excluded worker is used only when the others could never hold the run") {
  QueuedRun run = Waiting("r", 1);
  run.excluded = {"a"};
  CHECK(WorkersOf(PlanPlacements({Room("a", 1), Room("b", 1)}, {run}).at(0)) == Strings{"b"});
  CHECK(PlanPlacements({Room("a", 1), Room("b", 0, 1)}, {run}).empty());
  CHECK(WorkersOf(PlanPlacements({Room("a", 1)}, {run}).at(0)) == Strings{"a"});
}

TEST_CASE("The largest placement counts every slot of the pool") {
  CHECK(LargestPlacement({Room("a", 1, 4), Room("b", 0, 2)}, "default") == 6);
  CHECK(LargestPlacement({Room("a", 1, 4)}, "gpu") == 0);
}

// The model of the world: slots that are free, each given at most once, all or nothing.
TEST_CASE("No slot is given twice and every gang is whole, for random clusters") {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 engine(seed);
  const auto random = [&engine] { return static_cast<uint32_t>(engine()); };
  for (int game = 0; game < 500; ++game) {
    std::vector<WorkerRoom> rooms;
    std::map<std::string, std::set<uint32_t>> free;
    const uint32_t workers = 1 + random() % 6;
    for (uint32_t i = 0; i < workers; ++i) {
      const uint32_t slots = 1 + random() % 8;
      rooms.push_back(Room(absl::StrCat("w", i), random() % (slots + 1), slots));
      free[rooms.back().name] = {rooms.back().free.begin(), rooms.back().free.end()};
    }
    std::vector<QueuedRun> queue;
    std::map<std::string, uint32_t> ranks;
    const uint32_t waiting = random() % 12;
    for (uint32_t i = 0; i < waiting; ++i) {
      queue.push_back(
          Waiting(absl::StrCat("r", i), 1 + random() % 6, static_cast<int32_t>(random() % 3), i));
      ranks[queue.back().id] = queue.back().ranks;
    }
    INFO("seed " << seed << " game " << game);
    for (const PlacedRun& placed : PlanPlacements(rooms, queue)) {
      REQUIRE(placed.ranks.size() == ranks.at(placed.id));
      for (const PlacedRank& rank : placed.ranks) {
        REQUIRE(free.at(rank.worker).erase(rank.slot) == 1);
      }
    }
  }
}

}  // namespace
}  // namespace ddl::coordinator
