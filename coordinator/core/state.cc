#include "coordinator/core/state.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace ddl::coordinator {
namespace {

template <typename Map>
const typename Map::mapped_type* FindIn(const Map& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

std::string LowerWithout(absl::string_view prefix, absl::string_view name) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

const v1::ExperimentRecord* FindExperiment(const State& state, const std::string& id) {
  return FindIn(state.experiments, id);
}
const v1::RunRecord* FindRun(const State& state, const std::string& id) {
  return FindIn(state.runs, id);
}
const v1::WorkerRecord* FindWorker(const State& state, const std::string& name) {
  return FindIn(state.workers, name);
}

const v1::AttemptRecord* FindAttempt(const v1::RunRecord& run, uint64_t epoch) {
  for (int i = run.attempts_size() - 1; i >= 0; --i) {
    if (run.attempts(i).epoch() == epoch) return &run.attempts(i);
  }
  return nullptr;
}

const v1::AttemptRecord* LastAttempt(const v1::RunRecord& run) {
  return run.attempts().empty() ? nullptr : &run.attempts(run.attempts_size() - 1);
}

bool IsLive(v1::AttemptState state) {
  return state == v1::ATTEMPT_STATE_ALLOCATED || state == v1::ATTEMPT_STATE_LAUNCHING ||
         state == v1::ATTEMPT_STATE_RUNNING || state == v1::ATTEMPT_STATE_DRAINING;
}

const v1::AttemptRecord* LiveAttempt(const v1::RunRecord& run) {
  const v1::AttemptRecord* last = LastAttempt(run);
  return last != nullptr && IsLive(last->state()) ? last : nullptr;
}

bool HasEnded(v1::RunState state) {
  return state == v1::RUN_STATE_SUCCEEDED || state == v1::RUN_STATE_FAILED ||
         state == v1::RUN_STATE_STOPPED_EARLY || state == v1::RUN_STATE_CANCELED;
}

bool HasEnded(v1::ExperimentState state) {
  return state == v1::EXPERIMENT_STATE_COMPLETED || state == v1::EXPERIMENT_STATE_FAILED ||
         state == v1::EXPERIMENT_STATE_CANCELED;
}

uint32_t FreeSlots(const v1::WorkerRecord& worker) {
  const auto free = std::count_if(worker.slots().begin(), worker.slots().end(),
                                  [](const auto& slot) { return slot.run().empty(); });
  return static_cast<uint32_t>(free);
}

bool IsSchedulable(const State& state, const v1::WorkerRecord& worker) {
  return worker.state() == v1::WORKER_STATE_READY && !worker.hold() &&
         worker.reported_term() == state.term;
}

std::string Word(v1::RunState state) {
  return LowerWithout("RUN_STATE_", v1::RunState_Name(state));
}
std::string Word(v1::ExperimentState state) {
  return LowerWithout("EXPERIMENT_STATE_", v1::ExperimentState_Name(state));
}
std::string Word(v1::AttemptState state) {
  return LowerWithout("ATTEMPT_STATE_", v1::AttemptState_Name(state));
}
std::string Word(v1::WorkerState state) {
  return LowerWithout("WORKER_STATE_", v1::WorkerState_Name(state));
}
std::string Word(v1::CheckpointState state) {
  return LowerWithout("CHECKPOINT_STATE_", v1::CheckpointState_Name(state));
}
std::string Word(v1::ExitClass exit_class) {
  return LowerWithout("EXIT_CLASS_", v1::ExitClass_Name(exit_class));
}

}  // namespace ddl::coordinator
