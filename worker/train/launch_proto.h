// launch.pb as plain structs. Sees protobuf, never LibTorch.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "worker/train/launch.h"

namespace ddl {

// kNotFound without the file; kInvalidArgument for one that is no launch or whose spec breaks a
// rule, naming it.
absl::StatusOr<Launch> ReadLaunch(const std::string& path);

}  // namespace ddl
