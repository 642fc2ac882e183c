// The MLP's activation at one place against its formula; gradients against central differences of
// that formula in double.
#pragma once

#include <cmath>

#include "kernels/activation.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

inline double Activated(Activation kind, double gate, double up) {
  if (kind == Activation::kSquaredRelu) return gate > 0 ? gate * gate : 0;
  return gate / (1 + std::exp(-gate)) * up;
}

template <typename T, typename Place>
void CheckActivationCase(Activation kind, int64_t tokens, int64_t d_ff, Place place,
                         std::mt19937* random) {
  const bool gated = kind == Activation::kSwiGlu;
  const int64_t width = gated ? 2 * d_ff : d_ff;
  const std::vector<double> in = RandomValues<T>(tokens * width, 2.0, random);
  const std::vector<double> d_out = RandomValues<T>(tokens * d_ff, 1.0, random);
  std::vector<double> out(tokens * d_ff);
  std::vector<double> d_in(tokens * width);
  constexpr double kStep = 1e-5;
  for (int64_t e = 0; e < tokens * d_ff; ++e) {
    const int64_t at = e / d_ff * width + e % d_ff;
    const double up = gated ? in[at + d_ff] : 0;
    const auto slope = [&](double along, double across) {
      return (Activated(kind, in[at] + along, up + across) -
              Activated(kind, in[at] - along, up - across)) /
             (2 * kStep);
    };
    out[e] = Activated(kind, in[at], up);
    d_in[at] = d_out[e] * slope(kStep, 0);
    if (gated) d_in[at + d_ff] = d_out[e] * slope(0, kStep);
  }
  INFO("tokens " << tokens << ", d_ff " << d_ff << ", gated " << gated << ", bytes " << sizeof(T));
  Buffer<T, Place> in_buffer(in);
  Buffer<T, Place> d_out_buffer(d_out);
  Buffer<T, Place> got(tokens * d_ff);
  Buffer<T, Place> d_got(tokens * width);
  REQUIRE(
      Launch(ActivationForward<T>{tokens, d_ff, kind, in_buffer.data(), got.data()}, place).ok());
  ActivationBackward<T> back{tokens,      d_ff, kind, in_buffer.data(), d_out_buffer.data(),
                             d_got.data()};
  REQUIRE(Launch(back, place).ok());
  const double bound = std::max(1e-5, Tolerance<T>());
  CHECK(RelativeError(got.Values(), out) < bound);
  CHECK(RelativeError(d_got.Values(), d_in) < bound);
  back.d_in = in_buffer.data();  // In place.
  REQUIRE(Launch(back, place).ok());
  CHECK(in_buffer.Bits() == d_got.Bits());
}

template <typename Place>
void CheckActivations(Place place, int rounds, int64_t most_tokens) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (int round = 0; round < rounds; ++round) {
    for (const Activation kind : {Activation::kSwiGlu, Activation::kSquaredRelu}) {
      const int64_t tokens = std::uniform_int_distribution<int64_t>(1, most_tokens)(random);
      const int64_t d_ff = 8 * std::uniform_int_distribution<int64_t>(1, 300)(random);
      if constexpr (std::is_same_v<Place, Cpu>) {
        CheckActivationCase<double>(kind, tokens, d_ff, place, &random);
      }
      CheckActivationCase<float>(kind, tokens, d_ff, place, &random);
      CheckActivationCase<Bf16>(kind, tokens, d_ff, place, &random);
    }
  }
}

}  // namespace ddl::kernels
