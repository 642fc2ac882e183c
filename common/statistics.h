// The statistics of a comparison over seeds: mean, Student's t interval, paired difference.
// Pure functions of finite numbers.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace ddl {

// At least one value.
double Mean(absl::Span<const double> values);

// With n - 1 in the denominator; NaN for fewer than two values.
double SampleDeviation(absl::Span<const double> values);

// P(T <= t) and its inverse for Student's t with `degrees` > 0, 0 < p < 1: the regularised
// incomplete beta function by its continued fraction (modified Lentz), relative error near 1e-14.
double StudentTCdf(double t, double degrees);
double StudentTQuantile(double p, double degrees);

// Regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1.
double IncompleteBeta(double x, double a, double b);

struct Interval {
  double mean = 0;
  double half_width = 0;  // NaN for n = 1: one value says nothing about its spread.
  int64_t n = 0;
  bool Contains(double value) const {
    return mean - half_width <= value && value <= mean + half_width;
  }
};

// The 95 % t interval of the mean. At least one value.
Interval TInterval95(absl::Span<const double> values);

// The same of values[i] - baseline[i]; the two have the same, non-zero length.
Interval PairedDifference(absl::Span<const double> values, absl::Span<const double> baseline);

}  // namespace ddl
