// What the coordinator knows: experiments, runs with their attempts and checkpoints, workers with
// their slots. Only Core changes it, by applying events.
//
// Everything but the indexes at the end is in a snapshot and in the hash; indexes are derived.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {

struct State {
  std::string cluster_id;  // Empty before the first term.
  uint64_t term = 0;
  uint64_t version = 0;     // Events applied.
  uint64_t last_order = 0;  // Newest place in the order of submission.
  std::map<std::string, v1::ExperimentRecord> experiments;  // By id.
  std::map<std::string, v1::RunRecord> runs;                // By id.
  std::map<std::string, v1::WorkerRecord> workers;          // By name.

  // Runs that have not ended or whose attempt still holds a process.
  std::set<std::string> live_runs;
  // Experiments that have not ended.
  std::set<std::string> live_experiments;
};

// Null when there is none.
const v1::ExperimentRecord* FindExperiment(const State& state, const std::string& id);
const v1::RunRecord* FindRun(const State& state, const std::string& id);
const v1::WorkerRecord* FindWorker(const State& state, const std::string& name);
const v1::AttemptRecord* FindAttempt(const v1::RunRecord& run, uint64_t epoch);
// The newest attempt, whatever its state; null before the first.
const v1::AttemptRecord* LastAttempt(const v1::RunRecord& run);

// An attempt whose processes may exist: ALLOCATED, LAUNCHING, RUNNING or DRAINING.
bool IsLive(v1::AttemptState state);
// The attempt of `run` that is live; null when none is. At most one is.
const v1::AttemptRecord* LiveAttempt(const v1::RunRecord& run);

// SUCCEEDED, FAILED, STOPPED_EARLY or CANCELED.
bool HasEnded(v1::RunState state);
bool HasEnded(v1::ExperimentState state);

// Slots of `worker` that a placement may use now.
uint32_t FreeSlots(const v1::WorkerRecord& worker);
// READY, not held, and its inventory of this session and term is known.
bool IsSchedulable(const State& state, const v1::WorkerRecord& worker);

// Words of the API: lower case, without the prefix ("queued", "out_of_memory").
std::string Word(v1::RunState state);
std::string Word(v1::ExperimentState state);
std::string Word(v1::AttemptState state);
std::string Word(v1::WorkerState state);
std::string Word(v1::CheckpointState state);
std::string Word(v1::ExitClass exit_class);

}  // namespace ddl::coordinator
