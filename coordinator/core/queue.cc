#include "coordinator/core/queue.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/core/core.h"
#include "coordinator/core/decide.h"
#include "coordinator/core/placement.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kHoldersNamed = 3;

std::string Slots(uint64_t count) { return absl::StrCat(count, count == 1 ? " slot" : " slots"); }

// "run X holds 1, run Y holds 2 and 4 others hold 5".
std::string Holders(const State& state, const std::string& pool) {
  std::map<std::string, uint32_t> held;
  for (const auto& [name, worker] : state.workers) {
    if (worker.pool() != pool || worker.state() == v1::WORKER_STATE_LOST) continue;
    for (const v1::SlotRecord& slot : worker.slots()) {
      if (!slot.run().empty()) ++held[slot.run()];
    }
  }
  std::vector<std::string> named;
  uint32_t others = 0;
  for (const auto& [run, count] : held) {
    if (named.size() < kHoldersNamed) {
      named.push_back(absl::StrCat("run ", run, " holds ", count));
    } else {
      others += count;
    }
  }
  if (others > 0) {
    named.push_back(absl::StrCat(held.size() - kHoldersNamed, " others hold ", others));
  }
  return absl::StrJoin(named, ", ");
}

std::string WhyItWaits(const State& state, const std::vector<WorkerRoom>& rooms,
                       const QueuedRun& run, const std::string& first_in_pool) {
  const std::string need =
      absl::StrCat("waits for ", Slots(run.ranks), " in pool ", run.pool, ": ");
  const uint32_t largest = LargestPlacement(rooms, run.pool);
  if (largest < run.ranks) {
    return absl::StrCat(need, "its workers have ", largest, " in all");
  }
  size_t free = 0;
  for (const WorkerRoom& room : rooms) free += room.pool == run.pool ? room.free.size() : 0;
  if (free >= run.ranks && first_in_pool != run.id) {
    return absl::StrCat(need, free, " free, but run ", first_in_pool, " comes first");
  }
  const std::string holders = Holders(state, run.pool);
  return absl::StrCat(need, free, " free", holders.empty() ? "" : ", ", holders);
}

}  // namespace

std::vector<Waiting> ExplainQueue(const State& state) {
  std::vector<QueuedRun> held_back;
  const std::vector<QueuedRun> queue = QueueOf(state, CoreSettings{}, &held_back);
  const std::vector<WorkerRoom> rooms = RoomOf(state);
  std::vector<Waiting> waiting;
  const auto add = [&](const std::string& run, std::string why) {
    waiting.push_back({run, static_cast<uint32_t>(waiting.size() + 1), std::move(why)});
  };
  std::map<std::string, std::string> first;  // Of each pool, the first that could ever be placed.
  for (const QueuedRun& run : queue) {
    const bool could = LargestPlacement(rooms, run.pool) >= run.ranks;
    if (could) first.emplace(run.pool, run.id);
    add(run.id, WhyItWaits(state, rooms, run, could ? first.at(run.pool) : run.id));
  }
  for (const QueuedRun& run : held_back) {
    const v1::ExperimentRecord& sweep = state.experiments.at(state.runs.at(run.id).experiment_id());
    add(run.id, absl::StrCat("waits for its sweep ", sweep.name(), ", which runs ",
                             sweep.sweep().max_concurrent(), " at a time"));
  }
  for (const std::string& id : state.live_runs) {
    const v1::RunRecord& run = state.runs.at(id);
    if (run.state() == v1::RUN_STATE_BACKOFF) add(id, run.reason());
  }
  return waiting;
}

}  // namespace ddl::coordinator
