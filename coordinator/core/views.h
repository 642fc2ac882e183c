// Records as clients see them. Pure functions of the state and, for runs, of the run store's latest
// values.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "coordinator/core/sequencer.h"
#include "coordinator/core/state.h"
#include "coordinator/core/store.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

// `progress` may be null: then nothing has been recorded.
v1::Run RunView(const v1::RunRecord& run, const RunProgress* progress);
v1::Experiment ExperimentView(const v1::ExperimentRecord& experiment);
v1::Attempt AttemptView(const v1::AttemptRecord& attempt);
v1::Checkpoint CheckpointView(const v1::CheckpointRecord& checkpoint);
v1::RunDetail RunDetailView(const v1::RunRecord& run, const RunProgress* progress);
// `pulse` may be null: not heard in this term.
v1::Worker WorkerView(const v1::WorkerRecord& worker, const WorkerPulse* pulse);

}  // namespace ddl::coordinator
