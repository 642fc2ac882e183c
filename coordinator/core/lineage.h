// The lineage of a run: the chain of attempts, each from the step at which it resumed, and the
// checkpoints on it. Pure.
#pragma once

#include <string>
#include <vector>

#include "coordinator/core/state.h"
#include "coordinator/core/store.h"

namespace ddl::coordinator {

// Committed checkpoints that a new attempt may restore from, newest first. A checkpoint of an
// attempt is on the lineage up to the step at which a later attempt resumed.
std::vector<const v1::CheckpointRecord*> Restorable(const v1::RunRecord& run);

// Committed checkpoints to delete: off the lineage, or beyond the newest `checkpoint.keep_last` on
// it. Empty while a live attempt may be restoring: it was handed the list when it was placed.
std::vector<const v1::CheckpointRecord*> Superfluous(const v1::RunRecord& run);

// Which steps of each attempt count: for Store::ReadSeries.
Lineage LineageOf(const v1::RunRecord& run);

}  // namespace ddl::coordinator
