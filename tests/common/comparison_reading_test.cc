#include "common/comparison_reading.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace ddl {
namespace {

v1::Point PointAt(int64_t tokens, double value) {
  v1::Point point;
  point.set_tokens(tokens);
  point.set_step(tokens / 10);
  point.set_flops(static_cast<double>(tokens) * 6);
  point.set_active_seconds(static_cast<double>(tokens) / 4);
  point.set_value(value);
  return point;
}

std::vector<v1::Point> Curve() { return {PointAt(100, 5), PointAt(200, 4), PointAt(300, 3)}; }

TEST_CASE("A point at the place is the value, on every axis") {
  CHECK(ReadAt(Curve(), ComparisonAxis::kTokens, 200).value == 4);
  CHECK(ReadAt(Curve(), ComparisonAxis::kSteps, 20).value == 4);
  CHECK(ReadAt(Curve(), ComparisonAxis::kFlops, 1200).value == 4);
  const Reading reading = ReadAt(Curve(), ComparisonAxis::kTime, 50);
  CHECK(reading.value == 4);
  CHECK(reading.exact);
  CHECK(reading.tokens == 200);
  CHECK(reading.active_seconds == 50);
}

TEST_CASE("Between points the last one before counts, and nothing is interpolated") {
  const Reading reading = ReadAt(Curve(), ComparisonAxis::kTokens, 299);
  CHECK(reading.has_value);
  CHECK(reading.value == 4);
  CHECK_FALSE(reading.exact);
}

TEST_CASE("A run that has not reached the place has no value there, and says how far it is") {
  const Reading reading = ReadAt(Curve(), ComparisonAxis::kTokens, 301);
  CHECK_FALSE(reading.has_value);
  CHECK(reading.missing == "has reached 300");
  CHECK(ReadAt(Curve(), ComparisonAxis::kTokens, 99).missing == "its first point is later");
  CHECK(ReadAt({}, ComparisonAxis::kTokens, 0).missing == "nothing recorded");
}

TEST_CASE("A value that is not finite is missing") {
  CHECK(ReadAt({PointAt(1, NAN)}, ComparisonAxis::kTokens, 1).missing == "its value is not finite");
  CHECK_FALSE(ReadAt({PointAt(1, INFINITY)}, ComparisonAxis::kTokens, 1).has_value);
}

TEST_CASE("Of two points at one place the later one counts") {
  CHECK(ReadAt({PointAt(5, 1), PointAt(5, 2)}, ComparisonAxis::kTokens, 5).value == 2);
}

TEST_CASE("Axes are named, and tokens are the default") {
  CHECK(*ParseComparisonAxis("") == ComparisonAxis::kTokens);
  for (const char* name : {"tokens", "steps", "flops", "time"}) {
    CHECK(ComparisonAxisName(*ParseComparisonAxis(name)) == name);
  }
  CHECK(ParseComparisonAxis("hours").status().message() ==
        "x must be tokens, steps, flops or time, got \"hours\"");
}

TEST_CASE("Random curves read as a search from the end would") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<v1::Point> points;
    int64_t tokens = 0;
    for (auto i = random() % 6; i > 0; --i) {
      tokens += 1 + static_cast<int64_t>(random() % 10);
      points.push_back(PointAt(tokens, static_cast<double>(random() % 1000)));
    }
    const auto place = static_cast<double>(random() % 70);
    const v1::Point* expected = nullptr;
    for (auto point = points.rbegin(); point != points.rend() && expected == nullptr; ++point) {
      if (static_cast<double>(point->tokens()) <= place) expected = &*point;
    }
    if (points.empty() || static_cast<double>(tokens) < place) expected = nullptr;
    const Reading reading = ReadAt(points, ComparisonAxis::kTokens, place);
    CHECK(reading.has_value == (expected != nullptr));
    if (expected != nullptr) CHECK(reading.value == expected->value());
  }
}

TEST_CASE("Places print without exponents where they are whole") {
  CHECK(PlaceText(8e6) == "8000000");
  CHECK(PlaceText(12.5) == "12.5");
}

}  // namespace
}  // namespace ddl
