// What one run's points say at one place on an axis.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl {

enum class ComparisonAxis { kTokens, kSteps, kFlops, kTime };

// "tokens" (also for an empty name), "steps", "flops", "time". kInvalidArgument otherwise.
absl::StatusOr<ComparisonAxis> ParseComparisonAxis(absl::string_view name);
absl::string_view ComparisonAxisName(ComparisonAxis axis);

// The point's coordinate; for kTime, active seconds.
double CoordinateOf(const v1::Point& point, ComparisonAxis axis);

// A place as people read it: whole numbers in full, others with as many digits as they need.
std::string PlaceText(double place);

// The largest coordinate; nullopt without points.
std::optional<double> FarthestPlace(const std::vector<v1::Point>& points, ComparisonAxis axis);

struct Reading {
  bool has_value = false;
  double value = 0;
  bool exact = false;  // The point lies at the place, not before it.
  int64_t tokens = 0;
  double active_seconds = 0;
  std::string missing;  // The reason, without a value.
};

// The point at `place`, else the last before it, of a run that has reached `place`. Points may come
// in any order; of two at one place the later one counts.
Reading ReadAt(const std::vector<v1::Point>& points, ComparisonAxis axis, double place);

}  // namespace ddl
