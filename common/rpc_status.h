// The edge between gRPC's status and ours; nothing else converts one into the other.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace ddl {

// Code and message pass unchanged both ways: the two enums share their numbers.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace ddl
