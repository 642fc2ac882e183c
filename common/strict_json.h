// JSON that other programs wrote: parsed without surprises (a repeated key is an error, depth is
// bounded) and without exceptions. The one file that catches nlohmann-json's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// kDataLoss with the place and the rule. A lone number has depth 0, {"a": [1]} has depth 2.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, int max_depth);

}  // namespace ddl
