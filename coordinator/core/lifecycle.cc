#include "coordinator/core/lifecycle.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "coordinator/core/state.h"

namespace ddl::coordinator {
namespace {

template <typename S>
struct Arrows {
  S from;
  std::vector<S> to;
};

const std::vector<Arrows<v1::ExperimentState>>& ExperimentArrows() {
  static const auto* const arrows = new std::vector<Arrows<v1::ExperimentState>>{
      {v1::EXPERIMENT_STATE_SUBMITTED,
       {v1::EXPERIMENT_STATE_ACTIVE, v1::EXPERIMENT_STATE_PAUSED, v1::EXPERIMENT_STATE_CANCELED}},
      {v1::EXPERIMENT_STATE_ACTIVE,
       {v1::EXPERIMENT_STATE_PAUSED, v1::EXPERIMENT_STATE_COMPLETED, v1::EXPERIMENT_STATE_FAILED,
        v1::EXPERIMENT_STATE_CANCELED}},
      {v1::EXPERIMENT_STATE_PAUSED,
       {v1::EXPERIMENT_STATE_ACTIVE, v1::EXPERIMENT_STATE_COMPLETED, v1::EXPERIMENT_STATE_FAILED,
        v1::EXPERIMENT_STATE_CANCELED}},
  };
  return *arrows;
}

const std::vector<Arrows<v1::RunState>>& RunArrows() {
  static const auto* const arrows = new std::vector<Arrows<v1::RunState>>{
      {v1::RUN_STATE_QUEUED, {v1::RUN_STATE_PLACED, v1::RUN_STATE_PAUSED, v1::RUN_STATE_CANCELED}},
      {v1::RUN_STATE_PLACED,
       {v1::RUN_STATE_RUNNING, v1::RUN_STATE_PREEMPTING, v1::RUN_STATE_BACKOFF,
        v1::RUN_STATE_FAILED, v1::RUN_STATE_CANCELED}},
      {v1::RUN_STATE_RUNNING,
       {v1::RUN_STATE_SUCCEEDED, v1::RUN_STATE_FAILED, v1::RUN_STATE_STOPPED_EARLY,
        v1::RUN_STATE_CANCELED, v1::RUN_STATE_PREEMPTING, v1::RUN_STATE_BACKOFF}},
      {v1::RUN_STATE_PREEMPTING,
       {v1::RUN_STATE_QUEUED, v1::RUN_STATE_PAUSED, v1::RUN_STATE_BACKOFF, v1::RUN_STATE_SUCCEEDED,
        v1::RUN_STATE_FAILED, v1::RUN_STATE_CANCELED}},
      {v1::RUN_STATE_BACKOFF, {v1::RUN_STATE_QUEUED, v1::RUN_STATE_PAUSED, v1::RUN_STATE_CANCELED}},
      {v1::RUN_STATE_PAUSED, {v1::RUN_STATE_QUEUED, v1::RUN_STATE_CANCELED}},
  };
  return *arrows;
}

const std::vector<Arrows<v1::AttemptState>>& AttemptArrows() {
  static const auto* const arrows = new std::vector<Arrows<v1::AttemptState>>{
      {v1::ATTEMPT_STATE_ALLOCATED,
       {v1::ATTEMPT_STATE_LAUNCHING, v1::ATTEMPT_STATE_DRAINING, v1::ATTEMPT_STATE_FAILED,
        v1::ATTEMPT_STATE_LOST}},
      {v1::ATTEMPT_STATE_LAUNCHING,
       {v1::ATTEMPT_STATE_RUNNING, v1::ATTEMPT_STATE_DRAINING, v1::ATTEMPT_STATE_FAILED,
        v1::ATTEMPT_STATE_LOST}},
      {v1::ATTEMPT_STATE_RUNNING,
       {v1::ATTEMPT_STATE_DRAINING, v1::ATTEMPT_STATE_EXITED, v1::ATTEMPT_STATE_FAILED,
        v1::ATTEMPT_STATE_LOST}},
      {v1::ATTEMPT_STATE_DRAINING,
       {v1::ATTEMPT_STATE_EXITED, v1::ATTEMPT_STATE_FAILED, v1::ATTEMPT_STATE_PREEMPTED,
        v1::ATTEMPT_STATE_LOST}},
      {v1::ATTEMPT_STATE_LOST, {v1::ATTEMPT_STATE_FENCED}},
  };
  return *arrows;
}

const std::vector<Arrows<v1::WorkerState>>& WorkerArrows() {
  static const auto* const arrows = new std::vector<Arrows<v1::WorkerState>>{
      {v1::WORKER_STATE_READY, {v1::WORKER_STATE_SUSPECT, v1::WORKER_STATE_CORDONED}},
      {v1::WORKER_STATE_SUSPECT,
       {v1::WORKER_STATE_READY, v1::WORKER_STATE_LOST, v1::WORKER_STATE_CORDONED}},
      {v1::WORKER_STATE_LOST, {v1::WORKER_STATE_READY, v1::WORKER_STATE_CORDONED}},
      {v1::WORKER_STATE_CORDONED, {v1::WORKER_STATE_READY}},
  };
  return *arrows;
}

const std::vector<Arrows<v1::CheckpointState>>& CheckpointArrows() {
  static const auto* const arrows = new std::vector<Arrows<v1::CheckpointState>>{
      {v1::CHECKPOINT_STATE_WRITING,
       {v1::CHECKPOINT_STATE_COMMITTED, v1::CHECKPOINT_STATE_CORRUPT}},
      {v1::CHECKPOINT_STATE_COMMITTED,
       {v1::CHECKPOINT_STATE_DELETING, v1::CHECKPOINT_STATE_CORRUPT}},
      {v1::CHECKPOINT_STATE_DELETING, {v1::CHECKPOINT_STATE_GONE, v1::CHECKPOINT_STATE_CORRUPT}},
  };
  return *arrows;
}

template <typename S>
void Collect(LifeCycle cycle, const std::vector<Arrows<S>>& arrows, std::vector<Transition>* out) {
  for (const Arrows<S>& row : arrows) {
    for (const S to : row.to) out->push_back({cycle, row.from, to});
  }
}

std::vector<Transition> CollectAll() {
  std::vector<Transition> all;
  Collect(LifeCycle::kExperiment, ExperimentArrows(), &all);
  Collect(LifeCycle::kRun, RunArrows(), &all);
  Collect(LifeCycle::kAttempt, AttemptArrows(), &all);
  Collect(LifeCycle::kWorker, WorkerArrows(), &all);
  Collect(LifeCycle::kCheckpoint, CheckpointArrows(), &all);
  std::sort(all.begin(), all.end());
  return all;
}

const std::vector<Transition>& SortedTransitions() {
  static const auto* const all = new std::vector<Transition>(CollectAll());
  return *all;
}

std::string StateWord(LifeCycle cycle, int state) {
  switch (cycle) {
    case LifeCycle::kExperiment: return Word(static_cast<v1::ExperimentState>(state));
    case LifeCycle::kRun: return Word(static_cast<v1::RunState>(state));
    case LifeCycle::kAttempt: return Word(static_cast<v1::AttemptState>(state));
    case LifeCycle::kWorker: return Word(static_cast<v1::WorkerState>(state));
    case LifeCycle::kCheckpoint: return Word(static_cast<v1::CheckpointState>(state));
  }
  return "";
}

}  // namespace

bool IsAllowed(const Transition& transition) {
  const std::vector<Transition>& all = SortedTransitions();
  return std::binary_search(all.begin(), all.end(), transition);
}

std::vector<Transition> AllTransitions() { return SortedTransitions(); }

std::string Name(const Transition& transition) {
  static constexpr std::array<const char*, 5> kCycles = {"experiment", "run", "attempt", "worker",
                                                         "checkpoint"};
  return absl::StrCat(kCycles.at(static_cast<size_t>(transition.cycle)), ":",
                      StateWord(transition.cycle, transition.from), "->",
                      StateWord(transition.cycle, transition.to));
}

}  // namespace ddl::coordinator
