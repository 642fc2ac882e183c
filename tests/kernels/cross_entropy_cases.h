// Softmax, loss and gradient at one place against the definition in double.
#pragma once

#include <cmath>

#include "kernels/cross_entropy.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

template <typename T, typename Place>
void CheckCrossEntropyCase(int64_t tokens, int64_t vocabulary, int64_t stride, double scale,
                           Place place, std::mt19937* random) {
  using R = Real<T>;
  const std::vector<double> logits = RandomValues<T>(tokens * stride, 3.0, random);
  std::vector<double> targets;
  for (int64_t t = 0; t < tokens; ++t) {
    targets.push_back(static_cast<double>(
        std::uniform_int_distribution<int64_t>(t % 3 == 1 ? -1 : 0, vocabulary - 1)(*random)));
  }
  constexpr double kGradientScale = 0.25;
  std::vector<double> losses(tokens);
  std::vector<double> gradient(tokens * stride);
  for (int64_t t = 0; t < tokens; ++t) {
    double sum = 0;
    for (int64_t i = 0; i < vocabulary; ++i) sum += std::exp(scale * logits[t * stride + i]);
    const auto target = static_cast<int64_t>(targets[t]);
    if (target < 0) continue;
    losses[t] = std::log(sum) - scale * logits[t * stride + target];
    for (int64_t i = 0; i < vocabulary; ++i) {
      const double p = std::exp(scale * logits[t * stride + i]) / sum;
      gradient[t * stride + i] = kGradientScale * scale * (p - (i == target ? 1 : 0));
    }
  }
  INFO("tokens " << tokens << ", vocabulary " << vocabulary << ", stride " << stride << ", scale "
                 << scale << ", bytes " << sizeof(T));
  Buffer<T, Place> buffer(logits);
  Buffer<int32_t, Place> target_buffer(targets);
  Buffer<R, Place> loss_buffer(tokens);
  CrossEntropy<T> call;
  call.tokens = tokens;
  call.vocabulary = vocabulary;
  call.stride = stride;
  call.logits = buffer.data();
  call.targets = target_buffer.data();
  call.logit_scale = static_cast<R>(scale);
  call.gradient_scale = static_cast<R>(kGradientScale);
  call.losses = loss_buffer.data();
  call.loss_alone = true;
  const std::vector<unsigned char> before = buffer.Bits();
  REQUIRE(Launch(call, place).ok());
  CHECK(buffer.Bits() == before);
  CHECK(RelativeError(loss_buffer.Values(), losses) < std::min(1e-5, Tolerance<T>()));
  call.loss_alone = false;
  REQUIRE(Launch(call, place).ok());
  CHECK(RelativeError(loss_buffer.Values(), losses) < std::min(1e-5, Tolerance<T>()));
  CHECK(RelativeError(buffer.Values(), gradient) < Tolerance<T>());
}

template <typename Place>
void CheckCrossEntropies(Place place, int rounds, int64_t most_tokens, int64_t largest) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (int round = 0; round < rounds; ++round) {
    const int64_t tokens = std::uniform_int_distribution<int64_t>(1, most_tokens)(random);
    const int64_t vocabulary = std::uniform_int_distribution<int64_t>(1, largest)(random);
    const int64_t stride = (vocabulary + 7) / 8 * 8 + 8 * (round % 3);
    const double scale = round % 2 == 0 ? 1.0 : 0.5;
    if constexpr (std::is_same_v<Place, Cpu>) {
      CheckCrossEntropyCase<double>(tokens, vocabulary, stride, scale, place, &random);
    }
    CheckCrossEntropyCase<float>(tokens, vocabulary, stride, scale, place, &random);
    CheckCrossEntropyCase<Bf16>(tokens, vocabulary, stride, scale, place, &random);
  }
}

// A target beyond the vocabulary is a NaN loss, never a read beyond the row.
template <typename Place>
void CheckUnknownTarget(Place place) {
  Buffer<float, Place> logits(std::vector<double>(16, 1.0));
  Buffer<int32_t, Place> targets(std::vector<double>{9, 3});
  Buffer<float, Place> losses(2);
  CrossEntropy<float> call;
  call.tokens = 2;
  call.vocabulary = 8;
  call.stride = 8;
  call.logits = logits.data();
  call.targets = targets.data();
  call.losses = losses.data();
  REQUIRE(Launch(call, place).ok());
  CHECK(std::isnan(losses.Values()[0]));
  CHECK(losses.Values()[1] == Approx(std::log(8.0)));
}

}  // namespace ddl::kernels
