// One function for each kind of fact in the journal. Each checks all of its fact before it changes
// anything: an error leaves the state untouched. Called by Core::Apply alone.
#pragma once

#include "absl/status/status.h"
#include "coordinator/core/change.h"
#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {

// apply_experiments.cc
absl::Status ApplyFact(Change& change, const v1::ExperimentSubmitted& fact);
absl::Status ApplyFact(Change& change, const v1::RunCreated& fact);
absl::Status ApplyFact(Change& change, const v1::ExperimentHalted& fact);
absl::Status ApplyFact(Change& change, const v1::RunCanceled& fact);
absl::Status ApplyFact(Change& change, const v1::RunPauseRequested& fact);
absl::Status ApplyFact(Change& change, const v1::RunResumed& fact);
absl::Status ApplyFact(Change& change, const v1::RunBackoffEnded& fact);
// apply_workers.cc
absl::Status ApplyFact(Change& change, const v1::TermStarted& fact);
absl::Status ApplyFact(Change& change, const v1::WorkerRegistered& fact);
absl::Status ApplyFact(Change& change, const v1::WorkerStateChanged& fact);
absl::Status ApplyFact(Change& change, const v1::WorkerReported& fact);
absl::Status ApplyFact(Change& change, const v1::SlotReleased& fact);
// apply_attempts.cc
absl::Status ApplyFact(Change& change, const v1::AttemptPlaced& fact);
absl::Status ApplyFact(Change& change, const v1::AttemptFenced& fact);
absl::Status ApplyFact(Change& change, const v1::RendezvousChosen& fact);
// apply_ranks.cc
absl::Status ApplyFact(Change& change, const v1::RankObserved& fact);
absl::Status ApplyFact(Change& change, const v1::RankSettled& fact);
absl::Status ApplyFact(Change& change, const v1::RankEventApplied& fact);
// apply_checkpoints.cc
absl::Status ApplyFact(Change& change, const v1::CheckpointCommitted& fact);
absl::Status ApplyFact(Change& change, const v1::CheckpointRetired& fact);
absl::Status ApplyFact(Change& change, const v1::CheckpointDeleted& fact);

}  // namespace ddl::coordinator
