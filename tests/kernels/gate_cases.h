// The two-layer gate's second layer and the compressor's fold at one place against the reference.
#pragma once

#include "kernels/gate.h"
#include "kernels/reference/compress.h"
#include "kernels/reference/heads.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

template <typename T, typename Place>
void CheckGateCase(int64_t tokens, int64_t width, Place place, std::mt19937* random) {
  using R = Real<T>;
  const std::vector<double> in = RandomValues<T>(tokens * width, 1.0, random);
  const std::vector<double> weight = RandomValues<R>(width, 0.3, random);
  const std::vector<double> bias = RandomValues<R>(1, 0.3, random);
  const std::vector<double> d_logit = RandomValues<R>(tokens, 1.0, random);
  std::vector<double> beta;
  std::vector<double> d_in;
  reference::GateGradients d;
  // With the identity as first layer, c is what the kernel's `in` is.
  reference::Gate gate{.input = reference::Zeros(width * width), .output = weight, .bias = bias[0]};
  for (int64_t i = 0; i < width; ++i) gate.input[i * width + i] = 1.0;
  d = reference::ZerosLike(gate);
  for (int64_t t = 0; t < tokens; ++t) {
    const reference::Vector c(in.begin() + t * width, in.begin() + (t + 1) * width);
    beta.push_back(reference::Beta(gate, c));
    reference::Vector d_c = reference::Zeros(width);
    const double slope = beta.back() * (1 - beta.back() / 2);
    reference::BetaBackward(gate, c, d_logit[t] / slope, &d_c, &d);
    d_in.insert(d_in.end(), d_c.begin(), d_c.end());
  }
  INFO("tokens " << tokens << ", width " << width << ", bytes " << sizeof(T));
  Buffer<T, Place> in_buffer(in), hidden(tokens * width), got(tokens * width);
  Buffer<R, Place> weights(weight), biases(bias), d_logits(d_logit), betas(tokens);
  Buffer<R, Place> d_weight(reference::Zeros(width)), d_bias(reference::Zeros(1));
  int64_t workspace_size = 1;
  if constexpr (!std::is_same_v<Place, Cpu>) workspace_size = GateWorkspace(width);
  Buffer<R, Place> workspace(workspace_size);
  REQUIRE(Launch(GateForward<T>{tokens, width, in_buffer.data(), weights.data(), biases.data(),
                                hidden.data(), betas.data()},
                 place)
              .ok());
  REQUIRE(Launch(GateBackward<T>{tokens, width, hidden.data(), weights.data(), d_logits.data(),
                                 got.data(), d_weight.data(), d_bias.data(), workspace.data(),
                                 workspace_size},
                 place)
              .ok());
  CHECK(RelativeError(betas.Values(), beta) < Tolerance<T>());
  CHECK(RelativeError(got.Values(), d_in) < Tolerance<T>());
  CHECK(RelativeError(d_weight.Values(), d.output, 1.0) < Tolerance<T>());
  CHECK(RelativeError(d_bias.Values(), {d.bias}, 1.0) < Tolerance<T>());
}

template <typename R, typename Place>
void CheckFoldCase(int64_t n, int64_t d, int64_t taps, Place place, std::mt19937* random) {
  reference::Compressor c{
      .kind = reference::Compressor::Kind::kChannel, .n = n, .d = d, .taps = taps};
  c.kernel = RandomValues<R>(d * taps, 1.0, random);
  c.read = RandomValues<R>(n, 1.0, random);
  const std::vector<double> d_folded = RandomValues<R>(n * d, 1.0, random);
  // The fold is linear in the kernel and in the read vector: its slope along one of their elements
  // is the fold of that element alone.
  const auto slopes = [&](std::vector<double> reference::Compressor::*part) {
    std::vector<double> slope;
    for (size_t i = 0; i < (c.*part).size(); ++i) {
      reference::Compressor unit = c;
      (unit.*part).assign((c.*part).size(), 0.0);
      (unit.*part)[i] = 1.0;
      const reference::Vector folded = reference::FoldChannel(unit);
      slope.push_back(reference::Dot(folded.data(), d_folded.data(), n * d));
    }
    return slope;
  };
  INFO("n " << n << ", d " << d << ", taps " << taps << ", bytes " << sizeof(R));
  Buffer<R, Place> kernel(c.kernel), read(c.read), folded(n * d), d_out(d_folded);
  Buffer<R, Place> d_kernel(reference::Zeros(d * taps)), d_read(reference::Zeros(n));
  REQUIRE(
      Launch(CompressorFold<R>{n, d, taps, kernel.data(), read.data(), folded.data()}, place).ok());
  REQUIRE(Launch(CompressorUnfold<R>{n, d, taps, kernel.data(), read.data(), d_out.data(),
                                     d_kernel.data(), d_read.data()},
                 place)
              .ok());
  CHECK(RelativeError(folded.Values(), reference::FoldChannel(c)) < Tolerance<R>());
  CHECK(RelativeError(d_kernel.Values(), slopes(&reference::Compressor::kernel)) < Tolerance<R>());
  CHECK(RelativeError(d_read.Values(), slopes(&reference::Compressor::read)) < Tolerance<R>());
}

template <typename Place>
void CheckGates(Place place, int rounds, int64_t most_tokens) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (int round = 0; round < rounds; ++round) {
    const int64_t tokens = std::uniform_int_distribution<int64_t>(1, most_tokens)(random);
    const int64_t width = std::uniform_int_distribution<int64_t>(1, 70)(random);
    const int64_t n = std::uniform_int_distribution<int64_t>(1, 8)(random);
    const int64_t taps = std::uniform_int_distribution<int64_t>(1, n)(random);
    if constexpr (std::is_same_v<Place, Cpu>) {
      CheckGateCase<double>(tokens, width, place, &random);
      CheckFoldCase<double>(n, width, taps, place, &random);
    }
    CheckGateCase<float>(tokens, width, place, &random);
    CheckGateCase<Bf16>(tokens, width, place, &random);
    CheckFoldCase<float>(n, width, taps, place, &random);
  }
}

}  // namespace ddl::kernels
