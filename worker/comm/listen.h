// A listening socket on one address, for c10d's store, which by itself would listen on all of them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ddl {

// The descriptor, bound and listening. kUnavailable when the name does not resolve to an address of
// this host or the port is taken.
absl::StatusOr<int> Listen(const std::string& host, uint16_t port);

}  // namespace ddl
