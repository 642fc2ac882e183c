// Arithmetic of the references: rows of doubles in plain loops. Slow on purpose, and free of every
// library, so that a reader can hold each line against the formula.
//
// Shape letters: B sequences, T tokens of one, N = B T, d width, n value channels. Rows are
// contiguous, the last letter fastest.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace ddl::kernels::reference {

using Vector = std::vector<double>;

inline double Dot(const double* a, const double* b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// y += scale x.
inline void AddScaled(double scale, const double* x, int64_t count, double* y) {
  for (int64_t i = 0; i < count; ++i) y[i] += scale * x[i];
}

inline double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

inline Vector Zeros(int64_t count) { return Vector(static_cast<size_t>(count), 0.0); }

}  // namespace ddl::kernels::reference
