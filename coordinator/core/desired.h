// The full desired set of a worker, from the state and what the worker holds. Pure.
#pragma once

#include "absl/time/time.h"
#include "coordinator/core/state.h"
#include "proto/ddl/v1/workers.pb.h"

namespace ddl::coordinator {

// Level-triggered: equal state and inventory give an equal answer, however often it is asked for.
// Every attempt that `inventory` lists is named, and every live attempt with a rank on the worker.
v1::HeartbeatResponse DesiredSet(
    const State& state, const v1::WorkerRecord& worker,
    const google::protobuf::RepeatedPtrField<v1::InventoryAttempt>& inventory,
    absl::Duration grace);

}  // namespace ddl::coordinator
