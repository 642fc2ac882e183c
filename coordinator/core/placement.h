// Decides which queued runs start now, and on which slots. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ddl::coordinator {

struct WorkerRoom {
  std::string name;
  std::string pool;
  std::vector<uint32_t> free;  // Indexes of slots that may be used now, rising.
  uint32_t slots = 0;          // All its slots, whoever holds them.
};

struct QueuedRun {
  std::string id;
  std::string pool;
  uint32_t ranks = 1;                 // One slot each, all at once or none.
  int32_t priority = 0;               // Larger starts first.
  std::pair<uint64_t, uint64_t> age;  // Equal priorities: smaller starts first. Unique.
  std::set<std::string> excluded;     // Workers that failed it too often.
};

struct PlacedRank {
  std::string worker;
  uint32_t slot = 0;
};
struct PlacedRun {
  std::string id;
  std::vector<PlacedRank> ranks;  // By rank; ranks of one worker are neighbours.
};

// Runs to start, in order.
//
// A run that does not fit now, but could once others end, blocks those behind it in its pool, small
// ones included: otherwise a stream of small runs would starve it. A run that the pool's workers
// could never hold blocks nobody. A run takes as few workers as it can: the tightest that holds all
// of it, else the roomiest first; ties go to the smaller name. Excluded workers count only when the
// others together could never hold the run.
std::vector<PlacedRun> PlanPlacements(std::vector<WorkerRoom> workers,
                                      std::vector<QueuedRun> queue);

// `queue` in the order in which runs start.
void SortQueue(std::vector<QueuedRun>* queue);

// Slots of all workers of the pool that the run may use, held ones included.
uint32_t LargestPlacement(const std::vector<WorkerRoom>& workers, const std::string& pool);

}  // namespace ddl::coordinator
