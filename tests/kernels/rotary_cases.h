// QK-norm and rotary positions at one place against the formula in double, gradients against
// central differences of it.
#pragma once

#include <cmath>

#include "kernels/rotary.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

using Numbers = std::vector<double>;

// One head, written out: rotation as a complex product, the norm over what it sees.
inline Numbers RotatedHead(const RotaryShape<double>& s, const Numbers& cosine, const Numbers& sine,
                           const Numbers& gain, int64_t position, Numbers x) {
  const auto rotate = [&] {
    for (int64_t p = 0; p < s.rotated / 2; ++p) {
      const bool halves = s.layout == PairLayout::kHalves;
      const int64_t first = halves ? p : 2 * p;
      const int64_t second = halves ? p + s.rotated / 2 : 2 * p + 1;
      const double c = cosine[position * s.rotated / 2 + p];
      const double n = sine[position * s.rotated / 2 + p];
      const double a = x[first];
      const double b = x[second];
      x[first] = a * c - b * n;
      x[second] = a * n + b * c;
    }
  };
  const auto norm = [&] {
    if (gain.empty()) return;
    double square = 0;
    for (const double value : x) square += value * value;
    const double r = 1 / std::sqrt(square / static_cast<double>(x.size()) + s.eps);
    for (size_t i = 0; i < x.size(); ++i) x[i] *= r * gain[i];
  };
  if (s.order == NormOrder::kBeforeRotation) norm();
  rotate();
  if (s.order == NormOrder::kAfterRotation) norm();
  return x;
}

// A case's inputs and what must come of them.
struct RotaryTruth {
  RotaryShape<double> shape;
  bool normed = true;
  Numbers in, cosine, sine, query_gain, key_gain, d_queries, d_keys;
  Numbers queries, keys, d_in, d_query_gain, d_key_gain;
};

inline void HeadTruth(RotaryTruth* b, int64_t t, int64_t head, bool query) {
  const RotaryShape<double>& s = b->shape;
  const int64_t own = query ? head : head - s.query_heads;
  const int64_t heads = query ? s.query_heads : s.key_heads;
  Numbers gain = query ? b->query_gain : b->key_gain;
  Numbers& d_gain = query ? b->d_query_gain : b->d_key_gain;
  Numbers& out = query ? b->queries : b->keys;
  const double* dy = &(query ? b->d_queries : b->d_keys)[(t * heads + own) * s.head_dim];
  const int64_t at = t * s.row_stride + head * s.head_dim;
  Numbers x(b->in.begin() + at, b->in.begin() + at + s.head_dim);
  const auto run = [&] { return RotatedHead(s, b->cosine, b->sine, gain, t % s.sequence, x); };
  const Numbers y = run();
  std::copy(y.begin(), y.end(), out.begin() + (t * heads + own) * s.head_dim);
  const auto slope = [&](double* value) {
    constexpr double kStep = 1e-5;
    const double old = *value;
    *value = old + kStep;
    const Numbers above = run();
    *value = old - kStep;
    const Numbers below = run();
    *value = old;
    double sum = 0;
    for (int64_t i = 0; i < s.head_dim; ++i) sum += dy[i] * (above[i] - below[i]) / (2 * kStep);
    return sum;
  };
  for (int64_t i = 0; i < s.head_dim; ++i) {
    b->d_in[at + i] = slope(&x[i]);
    if (b->normed) d_gain[i] += slope(&gain[i]);
  }
}

template <typename T>
void FillRotary(RotaryTruth* b, std::mt19937* random) {
  const RotaryShape<double>& s = b->shape;
  const int64_t heads = s.query_heads + s.key_heads;
  b->in = RandomValues<T>(s.tokens * s.row_stride, 1.0, random);
  b->d_queries = RandomValues<T>(s.tokens * s.query_heads * s.head_dim, 1.0, random);
  b->d_keys = RandomValues<T>(s.tokens * s.key_heads * s.head_dim, 1.0, random);
  for (int64_t e = 0; e < s.sequence * s.rotated / 2; ++e) {
    const double angle = std::uniform_real_distribution<double>(-3, 3)(*random);
    b->cosine.push_back(static_cast<float>(std::cos(angle)));
    b->sine.push_back(static_cast<float>(std::sin(angle)));
  }
  if (b->normed) {
    b->query_gain = RandomValues<float>(s.head_dim, 1.0, random);
    b->key_gain = RandomValues<float>(s.head_dim, 1.0, random);
  }
  b->queries.resize(b->d_queries.size());
  b->keys.resize(b->d_keys.size());
  b->d_in.assign(b->in.size(), 7.0);  // What lies behind the keys stays.
  b->d_query_gain.assign(s.head_dim, 0);
  b->d_key_gain.assign(s.head_dim, 0);
  for (int64_t t = 0; t < s.tokens; ++t) {
    for (int64_t head = 0; head < heads; ++head) HeadTruth(b, t, head, head < s.query_heads);
  }
}

template <typename T, typename Place>
void CheckRotaryCase(RotaryTruth b, Place place, std::mt19937* random) {
  using R = Real<T>;
  FillRotary<T>(&b, random);
  const RotaryShape<double>& s = b.shape;
  INFO("tokens " << s.tokens << ", heads " << s.query_heads << " and " << s.key_heads << ", D "
                 << s.head_dim << ", rotated " << s.rotated << ", after "
                 << (s.order == NormOrder::kAfterRotation) << ", halves "
                 << (s.layout == PairLayout::kHalves) << ", normed " << b.normed << ", bytes "
                 << sizeof(T));
  Buffer<T, Place> in(b.in), d_queries(b.d_queries), d_keys(b.d_keys);
  Buffer<R, Place> cosine(b.cosine), sine(b.sine), query_gain(b.query_gain), key_gain(b.key_gain);
  Buffer<T, Place> queries(static_cast<int64_t>(b.queries.size()));
  Buffer<T, Place> keys(static_cast<int64_t>(b.keys.size()));
  Buffer<T, Place> d_in(Numbers(b.in.size(), 7.0));
  Buffer<R, Place> d_query_gain(Numbers(s.head_dim, 0.0)), d_key_gain(Numbers(s.head_dim, 0.0));
  int64_t workspace_size = 1;
  if constexpr (!std::is_same_v<Place, Cpu>) workspace_size = RotaryWorkspace(s.head_dim);
  Buffer<R, Place> workspace(workspace_size);
  RotaryShape<R> shape;
  shape.tokens = s.tokens;
  shape.sequence = s.sequence;
  shape.query_heads = s.query_heads;
  shape.key_heads = s.key_heads;
  shape.head_dim = s.head_dim;
  shape.rotated = s.rotated;
  shape.row_stride = s.row_stride;
  shape.order = s.order;
  shape.layout = s.layout;
  shape.eps = s.eps;
  shape.cosine = cosine.data();
  shape.sine = sine.data();
  shape.query_gain = b.normed ? query_gain.data() : nullptr;
  shape.key_gain = b.normed ? key_gain.data() : nullptr;
  REQUIRE(Launch(RotaryForward<T>{shape, in.data(), queries.data(), keys.data()}, place).ok());
  REQUIRE(Launch(RotaryBackward<T>{shape, in.data(), d_queries.data(), d_keys.data(), d_in.data(),
                                   d_query_gain.data(), d_key_gain.data(), workspace.data(),
                                   workspace_size},
                 place)
              .ok());
  const double bound = std::max(1e-5, Tolerance<T>());
  CHECK(RelativeError(queries.Values(), b.queries) < bound);
  CHECK(RelativeError(keys.Values(), b.keys) < bound);
  CHECK(RelativeError(d_in.Values(), b.d_in) < bound);
  if (!b.normed) return;
  CHECK(RelativeError(d_query_gain.Values(), b.d_query_gain) < bound);
  CHECK(RelativeError(d_key_gain.Values(), b.d_key_gain) < bound);
}

template <typename Place>
void CheckRotaries(Place place, int rounds, int64_t most_tokens, int64_t most_pairs) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  const auto pick = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int round = 0; round < 4 * rounds; ++round) {
    RotaryTruth b;
    RotaryShape<double>& s = b.shape;
    s.sequence = pick(1, most_tokens);
    s.tokens = s.sequence * pick(1, 2);
    s.query_heads = pick(1, 4);
    s.key_heads = pick(1, 3);
    s.head_dim = 2 * pick(1, most_pairs);
    s.rotated = round % 3 == 0 ? 2 * pick(0, s.head_dim / 2) : s.head_dim;
    s.row_stride = (s.query_heads + 2 * s.key_heads) * s.head_dim;
    s.order = round % 2 == 0 ? NormOrder::kAfterRotation : NormOrder::kBeforeRotation;
    s.layout = round / 2 % 2 == 0 ? PairLayout::kHalves : PairLayout::kNeighbours;
    b.normed = round % 5 != 4;
    if constexpr (std::is_same_v<Place, Cpu>) CheckRotaryCase<double>(b, place, &random);
    CheckRotaryCase<float>(b, place, &random);
    CheckRotaryCase<Bf16>(b, place, &random);
  }
}

}  // namespace ddl::kernels
