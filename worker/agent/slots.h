// The slots that a worker offers: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/nvml.h"

namespace ddl::agent {

// `cpu_slots` slots of the CPU, or one for each GPU when it is 0: a worker's slots are of one kind,
// because placement takes any of them. kInvalidArgument when there would be none.
absl::StatusOr<std::vector<v1::Slot>> MakeSlots(uint32_t cpu_slots, const std::string& cpu_model,
                                                const std::vector<Gpu>& gpus);

}  // namespace ddl::agent
