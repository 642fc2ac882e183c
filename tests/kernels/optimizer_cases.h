// Optimizer kernels at one place against their definitions in double.
#pragma once

#include <cmath>

#include "kernels/optimizer.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

template <typename T, typename Place>
void CheckAdamWCase(int64_t count, Place place, std::mt19937* random) {
  using R = Real<T>;
  std::vector<double> w = RandomValues<R>(count, 1.0, random);
  std::vector<double> m(count);
  std::vector<double> v(count);
  Buffer<R, Place> masters(w), first(m), second(v);
  Buffer<T, Place> weights(count);
  constexpr double kRate = 0.01, kClip = 0.5, kDecay = 0.1;
  Buffer<R, Place> rate(std::vector<double>{kRate}), clip(std::vector<double>{kClip});
  for (int step = 1; step <= 4; ++step) {
    const std::vector<double> g = RandomValues<R>(count, 1.0, random);
    for (int64_t i = 0; i < count; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * kClip * g[i];
      v[i] = 0.95 * v[i] + 0.05 * kClip * g[i] * kClip * g[i];
      w[i] -= kRate * kDecay * w[i];
      w[i] -= kRate * m[i] / (1 - std::pow(0.9, step)) /
              (std::sqrt(v[i] / (1 - std::pow(0.95, step))) + 1e-8);
    }
    Buffer<R, Place> gradients(g);
    Buffer<int64_t, Place> steps(std::vector<double>{static_cast<double>(step)});
    AdamW<T> call;
    call.count = count;
    call.masters = masters.data();
    call.gradients = gradients.data();
    call.first_moment = first.data();
    call.second_moment = second.data();
    call.weights = weights.data();
    call.learning_rate = rate.data();
    call.step = steps.data();
    call.clip = clip.data();
    call.weight_decay = kDecay;
    REQUIRE(Launch(call, place).ok());
    Memory<Place>::Finish();
  }
  INFO("count " << count << ", bytes " << sizeof(T));
  CHECK(RelativeError(masters.Values(), w) < 1e-6);
  CHECK(RelativeError(first.Values(), m) < 1e-5);
  CHECK(RelativeError(second.Values(), v) < 1e-5);
  CHECK(RelativeError(weights.Values(), w) < std::max(1e-6, Tolerance<T>()));
}

template <typename T, typename Place>
void CheckNormCase(int64_t count, Place place, std::mt19937* random) {
  using R = Real<T>;
  std::vector<double> g = RandomValues<R>(count, 1.0, random);
  double square = 0;
  for (const double value : g) square += value * value;
  const double want = std::sqrt(square);
  Buffer<R, Place> gradients(g), norm(1), clip(1), workspace(kNormWorkspace);
  GlobalNorm<T> call;
  call.count = count;
  call.gradients = gradients.data();
  call.norm = norm.data();
  call.clip = clip.data();
  call.workspace = workspace.data();
  for (const double most : {0.0, 0.5 * want, 2.0 * want}) {
    call.max_norm = most;
    REQUIRE(Launch(call, place).ok());
    CHECK(norm.Values()[0] == Approx(want).epsilon(1e-5));
    const double factor = most == 0 ? 1.0 : std::min(1.0, most / (want + 1e-6));
    CHECK(clip.Values()[0] == Approx(factor).epsilon(1e-5));
  }
  g[count / 2] = NAN;
  Buffer<R, Place> broken(g);
  call.gradients = broken.data();
  REQUIRE(Launch(call, place).ok());
  CHECK(std::isnan(norm.Values()[0]));
}

template <typename T, typename Place>
void CheckMuonCase(int64_t count, Place place, std::mt19937* random) {
  using R = Real<T>;
  const std::vector<double> g = RandomValues<R>(count, 1.0, random);
  std::vector<double> momentum = RandomValues<R>(count, 1.0, random);
  std::vector<double> masters = RandomValues<R>(count, 1.0, random);
  Buffer<R, Place> gradients(g), momentum_buffer(momentum), master_buffer(masters);
  Buffer<R, Place> clip(std::vector<double>{0.5}), rate(std::vector<double>{0.02});
  Buffer<R, Place> workspace(kNormWorkspace);
  Buffer<T, Place> direction(count), weights(count), polynomial(count);
  MuonMomentum<T> momentum_call;
  momentum_call.count = count;
  momentum_call.gradients = gradients.data();
  momentum_call.momentum = momentum_buffer.data();
  momentum_call.direction = direction.data();
  momentum_call.clip = clip.data();
  REQUIRE(Launch(momentum_call, place).ok());
  std::vector<double> x(count);
  for (int64_t i = 0; i < count; ++i) {
    momentum[i] += 0.05 * (0.5 * g[i] - momentum[i]);
    x[i] = 0.5 * g[i] + 0.95 * (momentum[i] - 0.5 * g[i]);
  }
  INFO("count " << count << ", bytes " << sizeof(T));
  CHECK(RelativeError(momentum_buffer.Values(), momentum) < 1e-5);
  CHECK(RelativeError(direction.Values(), x) < std::max(1e-5, Tolerance<T>()));

  x = direction.Values();  // Rounded, as the next kernels read it.
  double square = 0;
  for (const double value : x) square += value * value;
  MuonNormalize<T> normalize;
  normalize.count = count;
  normalize.x = direction.data();
  normalize.workspace = workspace.data();
  REQUIRE(Launch(normalize, place).ok());
  for (double& value : x) value /= 1.01 * std::sqrt(square) + 1e-7;
  CHECK(RelativeError(direction.Values(), x) < std::max(1e-5, Tolerance<T>()));

  x = direction.Values();
  MuonPolynomial<T> step{count, direction.data(), direction.data(), polynomial.data(), -2.8, 0.5};
  REQUIRE(Launch(step, place).ok());
  MuonApply<T> apply;
  apply.count = count;
  apply.masters = master_buffer.data();
  apply.direction = direction.data();
  apply.weights = weights.data();
  apply.learning_rate = rate.data();
  apply.scale = 1.5;
  apply.weight_decay = 0.1;
  REQUIRE(Launch(apply, place).ok());
  std::vector<double> combined(count);
  for (int64_t i = 0; i < count; ++i) {
    combined[i] = -2.8 * x[i] + 0.5 * x[i];
    masters[i] = masters[i] * (1 - 0.02 * 0.1) - 0.02 * 1.5 * x[i];
  }
  CHECK(RelativeError(polynomial.Values(), combined) < std::max(1e-5, Tolerance<T>()));
  CHECK(RelativeError(master_buffer.Values(), masters) < 1e-6);
  CHECK(RelativeError(weights.Values(), masters) < std::max(1e-6, Tolerance<T>()));
}

template <typename T, typename Place>
void CheckOptimizerType(int64_t count, Place place, std::mt19937* random) {
  CheckAdamWCase<T>(count, place, random);
  CheckNormCase<T>(count, place, random);
  CheckMuonCase<T>(count, place, random);
}

template <typename Place>
void CheckOptimizers(Place place, const std::vector<int64_t>& counts) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (const int64_t count : counts) {
    if constexpr (std::is_same_v<Place, Cpu>) CheckOptimizerType<double>(count, place, &random);
    CheckOptimizerType<float>(count, place, &random);
    CheckOptimizerType<Bf16>(count, place, &random);
  }
}

}  // namespace ddl::kernels
