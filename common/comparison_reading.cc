#include "common/comparison_reading.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "common/numbers.h"

namespace ddl {
namespace {

constexpr std::array<std::pair<ComparisonAxis, absl::string_view>, 4> kAxes = {{
    {ComparisonAxis::kTokens, "tokens"},
    {ComparisonAxis::kSteps, "steps"},
    {ComparisonAxis::kFlops, "flops"},
    {ComparisonAxis::kTime, "time"},
}};

Reading Missing(std::string reason) { return {.missing = std::move(reason)}; }

}  // namespace

absl::StatusOr<ComparisonAxis> ParseComparisonAxis(absl::string_view name) {
  if (name.empty()) return ComparisonAxis::kTokens;
  for (const auto& [axis, axis_name] : kAxes) {
    if (name == axis_name) return axis;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("x must be tokens, steps, flops or time, got ", Quoted(name)));
}

absl::string_view ComparisonAxisName(ComparisonAxis axis) {
  const auto* const row =
      std::find_if(kAxes.begin(), kAxes.end(), [&](const auto& r) { return r.first == axis; });
  DDL_CHECK(row != kAxes.end());
  return row->second;
}

double CoordinateOf(const v1::Point& point, ComparisonAxis axis) {
  switch (axis) {
    case ComparisonAxis::kTokens: return static_cast<double>(point.tokens());
    case ComparisonAxis::kSteps: return static_cast<double>(point.step());
    case ComparisonAxis::kFlops: return point.flops();
    case ComparisonAxis::kTime: return point.active_seconds();
  }
  return 0;
}

std::string PlaceText(double place) {
  constexpr double kLargestWhole = 9007199254740992;  // 2^53
  if (std::trunc(place) == place && std::fabs(place) <= kLargestWhole) {
    return absl::StrCat(static_cast<int64_t>(place));
  }
  return FormatReal(place);
}

std::optional<double> FarthestPlace(const std::vector<v1::Point>& points, ComparisonAxis axis) {
  std::optional<double> farthest;
  for (const v1::Point& point : points) {
    farthest = std::max(farthest.value_or(0), CoordinateOf(point, axis));
  }
  return farthest;
}

Reading ReadAt(const std::vector<v1::Point>& points, ComparisonAxis axis, double place) {
  const std::optional<double> farthest = FarthestPlace(points, axis);
  if (!farthest) return Missing("nothing recorded");
  if (*farthest < place) return Missing(absl::StrCat("has reached ", PlaceText(*farthest)));
  const v1::Point* last = nullptr;
  for (const v1::Point& point : points) {
    const double coordinate = CoordinateOf(point, axis);
    if (coordinate > place) continue;
    if (last == nullptr || coordinate >= CoordinateOf(*last, axis)) last = &point;
  }
  if (last == nullptr) return Missing("its first point is later");
  if (!std::isfinite(last->value())) return Missing("its value is not finite");
  return {.has_value = true,
          .value = last->value(),
          .exact = CoordinateOf(*last, axis) == place,
          .tokens = last->tokens(),
          .active_seconds = last->active_seconds()};
}

}  // namespace ddl
