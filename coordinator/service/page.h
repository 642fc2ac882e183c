// Pages of a listing that goes from the newest to the oldest, by order of submission.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"

namespace ddl::coordinator {

inline constexpr uint32_t kMaxPage = 1000;

struct PageLimits {
  uint32_t size = kMaxPage;
  uint64_t below = std::numeric_limits<uint64_t>::max();  // Orders under this one.
};

// kInvalidArgument for a size over kMaxPage (0 stands for it) and for a foreign token.
absl::StatusOr<PageLimits> ReadPageLimits(uint32_t size, const std::string& token);

}  // namespace ddl::coordinator
