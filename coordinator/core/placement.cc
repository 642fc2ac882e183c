#include "coordinator/core/placement.h"

#include <algorithm>
#include <tuple>

namespace ddl::coordinator {
namespace {

// The workers that `run` may use.
std::vector<WorkerRoom*> Candidates(const QueuedRun& run, std::vector<WorkerRoom>* workers) {
  std::vector<WorkerRoom*> all;
  std::vector<WorkerRoom*> liked;
  uint32_t liked_slots = 0;
  for (WorkerRoom& worker : *workers) {
    if (worker.pool != run.pool) continue;
    all.push_back(&worker);
    if (run.excluded.count(worker.name) > 0) continue;
    liked.push_back(&worker);
    liked_slots += worker.slots;
  }
  return liked_slots >= run.ranks ? liked : all;
}

size_t FreeOf(const std::vector<WorkerRoom*>& workers) {
  size_t free = 0;
  for (const WorkerRoom* worker : workers) free += worker->free.size();
  return free;
}

uint32_t SlotsOf(const std::vector<WorkerRoom*>& workers) {
  uint32_t slots = 0;
  for (const WorkerRoom* worker : workers) slots += worker->slots;
  return slots;
}

WorkerRoom* Pick(size_t needed, const std::vector<WorkerRoom*>& workers) {
  const auto rank = [needed](const WorkerRoom* worker) {
    const bool holds_all = worker->free.size() >= needed;
    const auto free = static_cast<int64_t>(worker->free.size());
    return std::tuple(!holds_all, holds_all ? free : -free, worker->name);
  };
  return *std::min_element(workers.begin(), workers.end(),
                           [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
}

// Takes the slots out of `workers`, which must have enough.
PlacedRun Take(const QueuedRun& run, const std::vector<WorkerRoom*>& workers) {
  PlacedRun placed{run.id, {}};
  while (placed.ranks.size() < run.ranks) {
    const size_t needed = run.ranks - placed.ranks.size();
    WorkerRoom* worker = Pick(needed, workers);
    const size_t taken = std::min(needed, worker->free.size());
    for (size_t i = 0; i < taken; ++i) placed.ranks.push_back({worker->name, worker->free[i]});
    worker->free.erase(worker->free.begin(), worker->free.begin() + static_cast<int64_t>(taken));
  }
  return placed;
}

}  // namespace

void SortQueue(std::vector<QueuedRun>* queue) {
  std::sort(queue->begin(), queue->end(), [](const QueuedRun& a, const QueuedRun& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.age < b.age;
  });
}

std::vector<PlacedRun> PlanPlacements(std::vector<WorkerRoom> workers,
                                      std::vector<QueuedRun> queue) {
  SortQueue(&queue);
  std::set<std::string> blocked;
  std::vector<PlacedRun> plan;
  for (const QueuedRun& run : queue) {
    if (blocked.count(run.pool) > 0) continue;
    const std::vector<WorkerRoom*> candidates = Candidates(run, &workers);
    if (SlotsOf(candidates) < run.ranks) continue;
    if (FreeOf(candidates) < run.ranks) {
      blocked.insert(run.pool);
      continue;
    }
    plan.push_back(Take(run, candidates));
  }
  return plan;
}

uint32_t LargestPlacement(const std::vector<WorkerRoom>& workers, const std::string& pool) {
  uint32_t slots = 0;
  for (const WorkerRoom& worker : workers) {
    if (worker.pool == pool) slots += worker.slots;
  }
  return slots;
}

}  // namespace ddl::coordinator
