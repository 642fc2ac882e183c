// What a worker's inventory means, as facts. Pure.
//
// A rank that its worker has listed and lists no more is gone. One that was never listed is still
// to be started, unless its attempt is to stop. Only inventories that were sent after the worker
// had heard this term and in order may be read so: the sequencer sees to that.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "coordinator/core/state.h"
#include "proto/ddl/v1/workers.pb.h"

namespace ddl::coordinator {

using Inventory = google::protobuf::RepeatedPtrField<v1::InventoryAttempt>;

// Why nothing on this worker may be changed: it holds what this state has never known. Empty
// otherwise.
std::string ReasonToHold(const State& state, const Inventory& inventory, uint64_t term_seen);

// Facts about ranks of live attempts on `worker`; `applied_seq` says up to where the events of a
// rank are applied. Applying them in order may end attempts, which makes later ones inapplicable.
std::vector<v1::Event> FactsAboutRanks(
    const State& state, const v1::WorkerRecord& worker, const Inventory& inventory,
    const std::function<uint64_t(const std::string&, uint64_t, uint32_t)>& applied_seq,
    const v1::Event& envelope);

// Facts about slots that ended attempts still hold, about lost attempts that came back and, once
// every process on the worker has a slot in its name, that its slots may be used.
std::vector<v1::Event> FactsAboutSlots(const State& state, const v1::WorkerRecord& worker,
                                       const Inventory& inventory, const v1::Event& envelope);

}  // namespace ddl::coordinator
