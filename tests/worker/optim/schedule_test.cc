#include "worker/optim/schedule.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace ddl {
namespace {

TEST_CASE("Warm-up rises linearly to the peak and half a cosine falls to the last ratio") {
  const ScheduleConfig schedule{.warmup_tokens = 100, .min_ratio = 0.1, .total_tokens = 1100};
  CHECK(RateFactor(schedule, 0) == 0);
  CHECK(RateFactor(schedule, 25) == Approx(0.25));
  CHECK(RateFactor(schedule, 100) == Approx(1));
  // Quarter, half and three quarters of the cosine: cos(pi/4) = 0.70710678.
  CHECK(RateFactor(schedule, 350) == Approx(0.1 + 0.9 * 0.8535533906));
  CHECK(RateFactor(schedule, 600) == Approx(0.55));
  CHECK(RateFactor(schedule, 850) == Approx(0.1 + 0.9 * 0.1464466094));
  CHECK(RateFactor(schedule, 1100) == Approx(0.1));
  CHECK(RateFactor(schedule, 5000) == Approx(0.1));
}

TEST_CASE("A constant schedule stays at the peak behind its warm-up") {
  const ScheduleConfig schedule{.shape = ScheduleShape::kConstant,
                                .warmup_tokens = 10,
                                .min_ratio = 0.1,
                                .total_tokens = 100};
  CHECK(RateFactor(schedule, 5) == Approx(0.5));
  CHECK(RateFactor(schedule, 10) == 1.0);
  CHECK(RateFactor(schedule, 100) == 1.0);
}

TEST_CASE("A linear schedule falls in equal steps from the warm-up to the end") {
  const ScheduleConfig schedule{
      .shape = ScheduleShape::kLinear, .warmup_tokens = 100, .min_ratio = 0.2, .total_tokens = 900};
  CHECK(RateFactor(schedule, 100) == 1.0);
  CHECK(RateFactor(schedule, 300) == Approx(0.8));
  CHECK(RateFactor(schedule, 500) == Approx(0.6));
  CHECK(RateFactor(schedule, 900) == Approx(0.2));
  CHECK(RateFactor(schedule, 901) == Approx(0.2));
}

TEST_CASE("Warm-up, stable, decay: the peak is kept until the last decay_tokens") {
  const ScheduleConfig schedule{.shape = ScheduleShape::kWarmupStableDecay,
                                .warmup_tokens = 100,
                                .decay_tokens = 200,
                                .min_ratio = 0,
                                .total_tokens = 1000};
  CHECK(RateFactor(schedule, 50) == Approx(0.5));
  CHECK(RateFactor(schedule, 100) == 1.0);
  CHECK(RateFactor(schedule, 800) == 1.0);
  CHECK(RateFactor(schedule, 850) == Approx(0.75));
  CHECK(RateFactor(schedule, 1000) == Approx(0).margin(1e-12));
}

TEST_CASE("A run that is all warm-up never falls, and one without begins at the peak's cosine") {
  CHECK(RateFactor({.warmup_tokens = 100, .total_tokens = 100}, 99) == Approx(0.99));
  CHECK(RateFactor({.min_ratio = 0, .total_tokens = 2}, 1) == Approx(0.5));
}

TEST_CASE("Every schedule is continuous in tokens, within its bounds, and falls behind warm-up") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](int64_t end) {
    return std::uniform_int_distribution<int64_t>(0, end - 1)(random);
  };
  for (int round = 0; round < 400; ++round) {
    ScheduleConfig schedule{.shape = static_cast<ScheduleShape>(round % 4),
                            .min_ratio = static_cast<double>(below(1001)) / 1000,
                            .total_tokens = 1000 + below(1'000'000)};
    if (schedule.shape == ScheduleShape::kConstant) schedule.min_ratio = 1;
    schedule.warmup_tokens = below(schedule.total_tokens);
    schedule.decay_tokens = 1 + below(schedule.total_tokens - schedule.warmup_tokens);
    const int64_t stable = schedule.total_tokens - schedule.warmup_tokens;
    const int64_t decay = schedule.shape == ScheduleShape::kWarmupStableDecay
                              ? schedule.decay_tokens
                              : std::max<int64_t>(1, stable);
    // The steepest slopes: of warm-up, and of the fall (pi / 2 for a cosine).
    const double rise = 1.0 / static_cast<double>(std::max<int64_t>(1, schedule.warmup_tokens));
    const double fall = 1.6 / static_cast<double>(decay);
    for (int probe = 0; probe < 50; ++probe) {
      // Half of the probes lie around the places where one rule gives way to the next.
      const int64_t corner = probe % 4 == 0   ? schedule.warmup_tokens
                             : probe % 4 == 1 ? schedule.total_tokens - decay
                             : probe % 4 == 2 ? schedule.total_tokens
                                              : below(schedule.total_tokens + 100);
      const int64_t tokens = std::max<int64_t>(0, corner - 2 + below(5));
      const double here = RateFactor(schedule, tokens);
      const double next = RateFactor(schedule, tokens + 1);
      REQUIRE(std::abs(next - here) <= std::max(rise, fall) + 1e-9);
      REQUIRE(here <= 1.0);
      REQUIRE(here >= 0.0);
      if (tokens < schedule.warmup_tokens) continue;
      REQUIRE(next <= here + 1e-12);
      REQUIRE(here >= schedule.min_ratio - 1e-12);
    }
  }
}

}  // namespace
}  // namespace ddl
