#include "kernels/reference/rewrite.h"

#include <algorithm>

namespace ddl::kernels::reference {
namespace {

double SumOfMagnitudes(const Vector& h) {
  double sum = 0;
  for (const double value : h) sum += std::abs(value);
  return sum;
}

double LengthOf(const RewriteInput& in) {
  if (in.kind == RewriteKind::kSeedDeepDeltares) return std::max(SumOfMagnitudes(in.h), in.eps);
  return std::sqrt(Dot(in.h.data(), in.h.data(), in.d) + in.eps * in.eps);
}

Vector DirectionOf(const RewriteInput& in) {
  Vector k = in.h;
  const double length = LengthOf(in);
  for (double& value : k) value /= length;
  return k;
}

// What is written along k: v^T - k^T X, or v alone.
Vector RowOf(const RewriteInput& in, const Vector& k) {
  Vector row = in.v;
  if (in.kind == RewriteKind::kWriteOnly) return row;
  for (int64_t j = 0; j < in.n; ++j) row[j] -= Dot(k.data(), &in.state[j * in.d], in.d);
  return row;
}

Vector DirectionBackward(const RewriteInput& in, const Vector& k, const Vector& dk) {
  const double length = LengthOf(in);
  const double along = Dot(k.data(), dk.data(), in.d);
  Vector dh = dk;
  if (in.kind == RewriteKind::kSeedDeepDeltares) {
    const bool clamped = SumOfMagnitudes(in.h) <= in.eps;
    for (int64_t i = 0; i < in.d; ++i) {
      const double sign = in.h[i] > 0 ? 1.0 : (in.h[i] < 0 ? -1.0 : 0.0);
      dh[i] = (dk[i] - (clamped ? 0.0 : sign * along)) / length;
    }
    return dh;
  }
  for (int64_t i = 0; i < in.d; ++i) dh[i] = (dk[i] - k[i] * along) / length;
  return dh;
}

RewriteGradients SeedBackward(const RewriteInput& in, const Vector& d_next) {
  const Vector k = DirectionOf(in);
  const double error = RowOf(in, k)[0];
  RewriteGradients out{.state = Zeros(in.d), .v = Zeros(1)};
  Vector dk = Zeros(in.d);
  double d_error = 0;
  for (int64_t i = 0; i < in.d; ++i) {
    const double through = d_next[i] * in.state[i];
    out.state[i] = d_next[i] * in.beta * error * k[i];
    out.beta += through * error * k[i];
    dk[i] = through * in.beta * error;
    d_error += through * in.beta * k[i];
  }
  AddScaled(-d_error, k.data(), in.d, out.state.data());
  AddScaled(-d_error, in.state.data(), in.d, dk.data());
  out.v[0] = d_error;
  out.h = DirectionBackward(in, k, dk);
  return out;
}

}  // namespace

Vector Rewrite(const RewriteInput& in) {
  Vector next = in.state;
  if (in.kind == RewriteKind::kAdditive) {
    AddScaled(1.0, in.h.data(), in.d, next.data());
    return next;
  }
  const Vector k = DirectionOf(in);
  const Vector row = RowOf(in, k);
  if (in.kind == RewriteKind::kSeedDeepDeltares) {
    for (int64_t i = 0; i < in.d; ++i) next[i] *= in.beta * row[0] * k[i];
    return next;
  }
  for (int64_t j = 0; j < in.n; ++j) {
    AddScaled(in.beta * row[j], k.data(), in.d, &next[j * in.d]);
  }
  return next;
}

RewriteGradients RewriteBackward(const RewriteInput& in, const Vector& d_next) {
  if (in.kind == RewriteKind::kAdditive) {
    return {.state = d_next, .h = d_next, .v = Zeros(in.n), .beta = 0};
  }
  if (in.kind == RewriteKind::kSeedDeepDeltares) return SeedBackward(in, d_next);
  const Vector k = DirectionOf(in);
  const Vector row = RowOf(in, k);
  RewriteGradients out{.state = d_next, .v = Zeros(in.n)};
  Vector dk = Zeros(in.d);
  for (int64_t j = 0; j < in.n; ++j) {
    const double* dy = &d_next[j * in.d];
    const double along = Dot(k.data(), dy, in.d);
    const double d_row = in.beta * along;
    out.beta += along * row[j];
    out.v[j] = d_row;
    AddScaled(in.beta * row[j], dy, in.d, dk.data());
    if (in.kind == RewriteKind::kWriteOnly) continue;
    AddScaled(-d_row, k.data(), in.d, &out.state[j * in.d]);
    AddScaled(-d_row, &in.state[j * in.d], in.d, dk.data());
  }
  out.h = DirectionBackward(in, k, dk);
  return out;
}

}  // namespace ddl::kernels::reference
