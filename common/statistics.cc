#include "common/statistics.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/check.h"

namespace ddl {
namespace {

// A term of a continued fraction's recurrence, kept away from zero.
double AwayFromZero(double value) {
  constexpr double kTiny = 1e-300;
  return std::fabs(value) < kTiny ? kTiny : value;
}

// Continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), which
// converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double x, double a, double b) {
  constexpr int kMaxTerms = 10'000;
  double c = 1;
  double d = 1 / AwayFromZero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / AwayFromZero(1 + even * d);
    c = AwayFromZero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / AwayFromZero(1 + odd * d);
    c = AwayFromZero(1 + odd / c);
    fraction *= d * c;
    if (std::fabs(d * c - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

// P(|T| > t) for t >= 0, without cancellation in the tail.
double TwoTails(double t, double degrees) {
  return IncompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

}  // namespace

double Mean(absl::Span<const double> values) {
  DDL_CHECK(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double SampleDeviation(absl::Span<const double> values) {
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double IncompleteBeta(double x, double a, double b) {
  DDL_CHECK(a > 0 && b > 0 && x >= 0 && x <= 1);
  if (x == 0 || x == 1) return x;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(x, a, b) / a;
  return 1 - front * BetaFraction(1 - x, b, a) / b;
}

double StudentTCdf(double t, double degrees) {
  DDL_CHECK(degrees > 0);
  const double tail = TwoTails(std::fabs(t), degrees) / 2;
  return t > 0 ? 1 - tail : tail;
}

double StudentTQuantile(double p, double degrees) {
  DDL_CHECK(p > 0 && p < 1 && degrees > 0);
  if (p == 0.5) return 0;
  const double tails = 2 * std::min(p, 1 - p);
  double low = 0;
  double high = 1;
  while (TwoTails(high, degrees) > tails) high *= 2;
  // The tail falls with t; halving ends when no double lies between.
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (TwoTails(middle, degrees) > tails ? low : high) = middle;
  }
  return p < 0.5 ? -high : high;
}

Interval TInterval95(absl::Span<const double> values) {
  constexpr double kUpper = 0.975;
  const auto n = static_cast<double>(values.size());
  Interval interval{Mean(values), std::numeric_limits<double>::quiet_NaN(),
                    static_cast<int64_t>(values.size())};
  if (values.size() > 1) {
    interval.half_width = StudentTQuantile(kUpper, n - 1) * SampleDeviation(values) / std::sqrt(n);
  }
  return interval;
}

Interval PairedDifference(absl::Span<const double> values, absl::Span<const double> baseline) {
  DDL_CHECK(values.size() == baseline.size());
  std::vector<double> differences;
  for (size_t i = 0; i < values.size(); ++i) differences.push_back(values[i] - baseline[i]);
  return TInterval95(differences);
}

}  // namespace ddl
