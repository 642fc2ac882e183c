// A collective over c10d's process groups. LibTorch's exceptions end here.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "worker/comm/collective.h"

namespace ddl {

absl::StatusOr<std::unique_ptr<Collective>> JoinProcessGroup(const Rendezvous& rendezvous);

}  // namespace ddl
