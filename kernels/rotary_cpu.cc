#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/rotary.h"

namespace ddl::kernels {
namespace {

template <typename R>
void RequireRotary(const RotaryShape<R>& s, Contract* contract) {
  contract->Between("tokens", s.tokens, 1, int64_t{1} << 31)
      .Between("sequence", s.sequence, 1, int64_t{1} << 31)
      .Between("query_heads", s.query_heads, 1, 1024)
      .Between("key_heads", s.key_heads, 1, 1024)
      .Between("tokens times heads", s.tokens * std::max(s.query_heads, s.key_heads), 1, 2147483647)
      .Between("head_dim", s.head_dim, 2, 1024)
      .MultipleOf("head_dim", s.head_dim, 2)
      .Between("rotated", s.rotated, 0, s.head_dim)
      .MultipleOf("rotated", s.rotated, 2)
      .Require(s.row_stride >= (s.query_heads + s.key_heads) * s.head_dim,
               "row_stride must hold all queries and keys")
      .MultipleOf("row_stride", s.row_stride, 2)
      .Require((s.query_gain == nullptr) == (s.key_gain == nullptr),
               "query_gain and key_gain must be given together")
      .AlignedIfGiven("query_gain", s.query_gain, kVectorBytes)
      .AlignedIfGiven("key_gain", s.key_gain, kVectorBytes);
  if (s.rotated > 0) {
    contract->Aligned("cosine", s.cosine, kVectorBytes).Aligned("sine", s.sine, kVectorBytes);
  }
}

// One head of one token.
template <typename R>
struct Head {
  const RotaryShape<R>& s;
  const R* gain;
  int64_t position;

  // Turns the pairs of x by the position's angles, or back.
  void Rotate(R direction, std::vector<R>* x) const {
    const int64_t half = s.rotated / 2;
    for (int64_t p = 0; p < half; ++p) {
      const bool halves = s.layout == PairLayout::kHalves;
      R& a = (*x)[halves ? p : 2 * p];
      R& b = (*x)[halves ? p + half : 2 * p + 1];
      const R cosine = s.cosine[position * half + p];
      const R sine = direction * s.sine[position * half + p];
      const R turned = a * cosine - b * sine;
      b = a * sine + b * cosine;
      a = turned;
    }
  }
  R InverseRms(const std::vector<R>& x) const {
    R square = 0;
    for (const R value : x) square += value * value;
    return 1 / std::sqrt(square / static_cast<R>(s.head_dim) + static_cast<R>(s.eps));
  }
  void Forward(std::vector<R>* x) const {
    const R r = gain == nullptr ? R{1} : InverseRms(*x);
    const bool after = s.order == NormOrder::kAfterRotation;
    if (after) Rotate(1, x);
    for (int64_t i = 0; gain != nullptr && i < s.head_dim; ++i) (*x)[i] *= r * gain[i];
    if (!after) Rotate(1, x);
  }
  // dy becomes dx; adds to d_gain.
  void Backward(std::vector<R> x, std::vector<R>* dy, std::vector<double>* d_gain) const {
    const bool after = s.order == NormOrder::kAfterRotation;
    if (!after) Rotate(-1, dy);
    if (gain != nullptr) {
      const R r = InverseRms(x);
      if (after) Rotate(1, &x);  // What the norm saw.
      R along = 0;
      for (int64_t i = 0; i < s.head_dim; ++i) {
        (*d_gain)[i] += (*dy)[i] * x[i] * r;
        along += gain[i] * (*dy)[i] * x[i];
      }
      const R pull = r * r * along / static_cast<R>(s.head_dim);
      for (int64_t i = 0; i < s.head_dim; ++i) {
        (*dy)[i] = r * (gain[i] * (*dy)[i] - x[i] * pull);
      }
    }
    if (after) Rotate(-1, dy);
  }
};

template <typename T>
std::vector<Real<T>> Read(const T* from, int64_t count) {
  std::vector<Real<T>> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = ToReal(from[i]);
  return values;
}
template <typename T>
void Write(const std::vector<Real<T>>& values, T* to) {
  for (size_t i = 0; i < values.size(); ++i) to[i] = FromReal<T>(values[i]);
}

// Calls visit(token, head in the merged row, head among its kind, is a query).
template <typename R, typename Visit>
void EachHead(const RotaryShape<R>& s, const Visit& visit) {
  for (int64_t t = 0; t < s.tokens; ++t) {
    for (int64_t head = 0; head < s.query_heads + s.key_heads; ++head) {
      const bool query = head < s.query_heads;
      visit(t, head, query ? head : head - s.query_heads, query);
    }
  }
}

}  // namespace

template <typename T>
Outcome CheckRotary(const RotaryForward<T>& call) {
  Contract contract("rotary forward");
  RequireRotary(call.shape, &contract);
  return contract.Aligned("in", call.in, kVectorBytes)
      .Aligned("queries", call.queries, kVectorBytes)
      .Aligned("keys", call.keys, kVectorBytes)
      .outcome();
}

template <typename T>
Outcome CheckRotary(const RotaryBackward<T>& call) {
  Contract contract("rotary backward");
  RequireRotary(call.shape, &contract);
  contract.Aligned("in", call.in, kVectorBytes)
      .Aligned("d_queries", call.d_queries, kVectorBytes)
      .Aligned("d_keys", call.d_keys, kVectorBytes)
      .Aligned("d_in", call.d_in, kVectorBytes)
      .Require(call.d_in != call.in, "d_in must not be in");
  if (call.shape.query_gain != nullptr) {
    contract.Aligned("d_query_gain", call.d_query_gain, sizeof(Real<T>))
        .Aligned("d_key_gain", call.d_key_gain, sizeof(Real<T>));
  }
  return contract.outcome();
}

template <typename T>
Outcome Launch(const RotaryForward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckRotary(call); !fits.ok()) return fits;
  const RotaryShape<R>& s = call.shape;
  EachHead(s, [&](int64_t t, int64_t head, int64_t own, bool query) {
    std::vector<R> x = Read(call.in + t * s.row_stride + head * s.head_dim, s.head_dim);
    Head<R>{s, query ? s.query_gain : s.key_gain, t % s.sequence}.Forward(&x);
    T* out = query ? call.queries + (t * s.query_heads + own) * s.head_dim
                   : call.keys + (t * s.key_heads + own) * s.head_dim;
    Write(x, out);
  });
  return {};
}

template <typename T>
Outcome Launch(const RotaryBackward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckRotary(call); !fits.ok()) return fits;
  const RotaryShape<R>& s = call.shape;
  std::vector<double> d_gains[2];
  for (std::vector<double>& d_gain : d_gains) d_gain.resize(s.head_dim);
  EachHead(s, [&](int64_t t, int64_t head, int64_t own, bool query) {
    const int64_t at = t * s.row_stride + head * s.head_dim;
    const T* d_out = query ? call.d_queries + (t * s.query_heads + own) * s.head_dim
                           : call.d_keys + (t * s.key_heads + own) * s.head_dim;
    std::vector<R> dy = Read(d_out, s.head_dim);
    Head<R>{s, query ? s.query_gain : s.key_gain, t % s.sequence}.Backward(
        Read(call.in + at, s.head_dim), &dy, &d_gains[query ? 0 : 1]);
    Write(dy, call.d_in + at);
  });
  for (int64_t i = 0; s.query_gain != nullptr && i < s.head_dim; ++i) {
    call.d_query_gain[i] += static_cast<R>(d_gains[0][i]);
    call.d_key_gain[i] += static_cast<R>(d_gains[1][i]);
  }
  return {};
}

#define DDL_INSTANTIATE(T)                                \
  template Outcome CheckRotary(const RotaryForward<T>&);  \
  template Outcome CheckRotary(const RotaryBackward<T>&); \
  template Outcome Launch(const RotaryForward<T>&, Cpu);  \
  template Outcome Launch(const RotaryBackward<T>&, Cpu);
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(double)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE

}  // namespace ddl::kernels
