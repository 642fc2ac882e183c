// The life cycles of design.md as tables of arrows. A change of state that is not in its table is a
// bug of the coordinator.
#pragma once

#include <string>
#include <vector>

#include "proto/ddl/v1/experiments.pb.h"
#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {

enum class LifeCycle { kExperiment, kRun, kAttempt, kWorker, kCheckpoint };

// One arrow; `from` and `to` are values of the life cycle's enum.
struct Transition {
  LifeCycle cycle = LifeCycle::kRun;
  int from = 0;
  int to = 0;
  auto operator<=>(const Transition&) const = default;  // NOLINT(modernize-use-nullptr)
};

bool IsAllowed(const Transition& transition);
// Every arrow of every life cycle.
std::vector<Transition> AllTransitions();
// "run:queued->placed".
std::string Name(const Transition& transition);

inline Transition Arrow(v1::ExperimentState from, v1::ExperimentState to) {
  return {LifeCycle::kExperiment, from, to};
}
inline Transition Arrow(v1::RunState from, v1::RunState to) { return {LifeCycle::kRun, from, to}; }
inline Transition Arrow(v1::AttemptState from, v1::AttemptState to) {
  return {LifeCycle::kAttempt, from, to};
}
inline Transition Arrow(v1::WorkerState from, v1::WorkerState to) {
  return {LifeCycle::kWorker, from, to};
}
inline Transition Arrow(v1::CheckpointState from, v1::CheckpointState to) {
  return {LifeCycle::kCheckpoint, from, to};
}

}  // namespace ddl::coordinator
