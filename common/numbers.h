// Numbers as people write them in specs and flags: 20M, 2e7, 20_000_000, 64KiB, 30s.
//
// Decimal text is evaluated exactly; a whole number never passes through a double. A text has at
// most 64 characters, no sign but a leading '-', no leading zeros, and '_' only between digits.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// What suffixes a number may have.
enum class NumberUnit {
  kNone,
  kTokens,   // k, M, G (or B), T: powers of 1000.
  kBytes,    // KiB, MiB, GiB, TiB: powers of 1024.
  kSeconds,  // ms, s, m, h, d.
};

// kInvalidArgument: not written as such a number, or not whole ("1.5", but "1.5M" is 1,500,000);
// kOutOfRange: beyond the type. Messages begin with the value.
absl::StatusOr<uint64_t> ParseUnsigned(absl::string_view text, NumberUnit unit = NumberUnit::kNone);
absl::StatusOr<int64_t> ParseSigned(absl::string_view text, NumberUnit unit = NumberUnit::kNone);

// The nearest double; kOutOfRange when that is infinite, or zero for another number.
absl::StatusOr<double> ParseReal(absl::string_view text, NumberUnit unit = NumberUnit::kNone);

// The shortest text that ParseReal reads back to the same double; `value` is finite.
std::string FormatReal(double value);

}  // namespace ddl
