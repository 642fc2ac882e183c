// What Core::Apply hands to the functions that apply one kind of fact: the state they may change,
// and the only ways to move something along its life cycle.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/core/core.h"
#include "coordinator/core/state.h"
#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {

struct Change {
  State& state;
  const v1::Event& event;
  const CoreSettings& settings;
  Effects& effects;
};

// Each checks the arrow (a forbidden one is our bug) and keeps counts, times and indexes right.
void MoveRun(Change& change, v1::RunRecord* run, v1::RunState to);
void MoveAttempt(Change& change, v1::AttemptRecord* attempt, v1::AttemptState to);
void MoveWorker(Change& change, v1::WorkerRecord* worker, v1::WorkerState to);
void MoveCheckpoint(Change& change, v1::CheckpointRecord* checkpoint, v1::CheckpointState to);
// Gives the experiment the state that follows from its runs.
void DeriveExperiment(Change& change, v1::ExperimentRecord* experiment);

// Says that `run` changed, and puts it into the indexes where it belongs.
void Touch(Change& change, const v1::RunRecord& run);

// Whether the coordinator may still have something to do for the run.
bool NeedsAttention(const v1::RunRecord& run);

// The record, to be changed; null when there is none.
v1::RunRecord* MutableRun(Change& change, const std::string& id);
v1::WorkerRecord* MutableWorker(Change& change, const std::string& name);
v1::AttemptRecord* MutableAttempt(v1::RunRecord* run, uint64_t epoch);

// kNotFound for an unknown run, kAborted naming the current epoch for an older one,
// kFailedPrecondition for one that was never given.
absl::StatusOr<v1::RunRecord*> RunOfEpoch(Change& change, const std::string& id, uint64_t epoch);

}  // namespace ddl::coordinator
