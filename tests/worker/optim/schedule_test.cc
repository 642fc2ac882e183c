#include "worker/optim/schedule.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

TEST_CASE("Warm-up rises linearly to the peak and half a cosine falls to the last ratio") {
  const ScheduleConfig schedule{
      .peak = 2e-3, .warmup_tokens = 100, .min_ratio = 0.1, .total_tokens = 1100};
  CHECK(LearningRate(schedule, 0) == 0);
  CHECK(LearningRate(schedule, 25) == Approx(0.5e-3));
  CHECK(LearningRate(schedule, 100) == Approx(2e-3));
  // Quarter, half and three quarters of the cosine: cos(pi/4) = 0.70710678.
  CHECK(LearningRate(schedule, 350) == Approx(2e-3 * (0.1 + 0.9 * 0.8535533906)));
  CHECK(LearningRate(schedule, 600) == Approx(2e-3 * 0.55));
  CHECK(LearningRate(schedule, 850) == Approx(2e-3 * (0.1 + 0.9 * 0.1464466094)));
  CHECK(LearningRate(schedule, 1100) == Approx(2e-4));
  CHECK(LearningRate(schedule, 5000) == Approx(2e-4));
}

TEST_CASE("A constant schedule stays at the peak behind its warm-up") {
  const ScheduleConfig schedule{
      .cosine = false, .peak = 1.0, .warmup_tokens = 10, .min_ratio = 0.1, .total_tokens = 100};
  CHECK(LearningRate(schedule, 5) == Approx(0.5));
  CHECK(LearningRate(schedule, 10) == 1.0);
  CHECK(LearningRate(schedule, 100) == 1.0);
}

TEST_CASE("A run that is all warm-up never falls, and one without begins at the peak's cosine") {
  CHECK(LearningRate({.peak = 1.0, .warmup_tokens = 100, .total_tokens = 100}, 100) == Approx(0.1));
  CHECK(LearningRate({.peak = 1.0, .min_ratio = 0, .total_tokens = 2}, 1) == Approx(0.5));
}

}  // namespace
}  // namespace ddl
