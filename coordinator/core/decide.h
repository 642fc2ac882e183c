// What the core decides by itself, as facts. Pure functions of the state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/core/core.h"
#include "coordinator/core/placement.h"
#include "coordinator/core/state.h"

namespace ddl::coordinator {

// Core::Decide.
std::vector<v1::Event> DecideFacts(const State& state, const CoreSettings& settings, absl::Time now,
                                   uint64_t entropy);

// An event of this moment and term, without its fact.
v1::Event MakeEvent(const State& state, absl::Time now, const std::string& principal);

// Ids that no run and no experiment has, and none of them twice.
class IdSource {
 public:
  IdSource(const State* state, uint64_t entropy) : state_(*state), entropy_(entropy) {}
  std::string Next();

 private:
  const State& state_;
  uint64_t entropy_;
  std::set<std::string> given_;
};

// The fact that makes trial `index` a run.
absl::StatusOr<v1::RunCreated> MakeTrial(const v1::ExperimentRecord& experiment, uint32_t index,
                                         const std::string& id);
v1::RunCreated MakeRun(const std::string& experiment_id, uint32_t index, const std::string& id,
                       const v1::ExperimentSpec& resolved);

// Trials of `experiment` that are to become runs now.
uint32_t TrialsToCreate(const v1::ExperimentRecord& experiment, const CoreSettings& settings);

// Workers as placement sees them; with `free`, only what may be used now counts as free.
std::vector<WorkerRoom> RoomOf(const State& state);
// Runs in QUEUED; those that their sweep's max_concurrent holds back are in `held_back`.
std::vector<QueuedRun> QueueOf(const State& state, const CoreSettings& settings,
                               std::vector<QueuedRun>* held_back);

}  // namespace ddl::coordinator
