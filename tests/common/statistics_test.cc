#include "common/statistics.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace ddl {
namespace {

TEST_CASE("The 97.5 % quantile of Student's t is that of the published table") {
  // scipy 1.x, stats.t.ppf(.975, df), which rounds to the printed tables (12.706, 4.303, ...).
  constexpr std::array<double, 30> kTable = {
      12.7062047362, 4.30265272975, 3.18244630528, 2.7764451052,  2.57058183564, 2.44691185114,
      2.36462425159, 2.3060041352,  2.2621571628,  2.22813885199, 2.20098516009, 2.17881282967,
      2.16036865646, 2.14478668792, 2.13144954556, 2.11990529922, 2.10981557783, 2.10092204024,
      2.09302405441, 2.08596344727, 2.07961384473, 2.0738730679,  2.06865761042, 2.06389856163,
      2.05953855275, 2.05552943864, 2.05183051648, 2.0484071418,  2.04522964213, 2.0422724563};
  for (size_t i = 0; i < kTable.size(); ++i) {
    INFO("degrees " << i + 1);
    CHECK(StudentTQuantile(0.975, static_cast<double>(i + 1)) == Approx(kTable[i]).epsilon(1e-11));
  }
}

TEST_CASE("Other quantiles are scipy's") {
  struct Row {
    double p, degrees, t;
  };
  for (const Row& row : std::initializer_list<Row>{{.95, 5, 2.015048373333},
                                                   {.995, 1, 63.65674116287},
                                                   {.995, 10, 3.169272672617},
                                                   {.6, 3, 0.2766706623327},
                                                   {.999, 2, 22.32712477012},
                                                   {.9995, 7, 5.407882520862},
                                                   {.025, 4, -2.776445105198},
                                                   {.975, 1000, 1.962339080826},
                                                   {.975, 1e6, 1.959966356814},
                                                   {.975, 2.5, 3.574654842004}}) {
    INFO(row.p << " " << row.degrees);
    // Above a million degrees of freedom the logarithms of gamma lose digits.
    CHECK(StudentTQuantile(row.p, row.degrees) == Approx(row.t).epsilon(1e-9));
  }
  CHECK(StudentTQuantile(0.5, 3) == 0);
}

TEST_CASE("For one and two degrees of freedom t has a closed form") {
  const double pi = std::acos(-1.0);
  for (const double p : {0.001, 0.1, 0.4, 0.7, 0.975, 0.9999}) {
    INFO(p);
    CHECK(StudentTQuantile(p, 1) == Approx(std::tan(pi * (p - 0.5))).epsilon(1e-10));
    const double u = 2 * p - 1;
    CHECK(StudentTQuantile(p, 2) == Approx(u * std::sqrt(2 / (4 * p * (1 - p)))).epsilon(1e-10));
  }
}

TEST_CASE("The incomplete beta function is scipy's and symmetric") {
  CHECK(IncompleteBeta(0.5, 2, 3) == Approx(0.6875).epsilon(1e-13));
  CHECK(IncompleteBeta(0.1, 0.5, 0.5) == Approx(0.204832764699133).epsilon(1e-13));
  CHECK(IncompleteBeta(0.9, 5, 0.5) == Approx(0.316642915020012).epsilon(1e-13));
  CHECK(IncompleteBeta(0.01, 10, 0.5) == Approx(1.77003496552857e-21).epsilon(1e-12));
  CHECK(IncompleteBeta(0.3, 100, 200) == Approx(0.10884306564491).epsilon(1e-12));
  CHECK(IncompleteBeta(0, 1, 1) == 0);
  CHECK(IncompleteBeta(1, 1, 1) == 1);
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> shape(0.1, 50);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int i = 0; i < 1000; ++i) {
    const double a = shape(random);
    const double b = shape(random);
    const double x = unit(random);
    INFO(a << " " << b << " " << x);
    CHECK(IncompleteBeta(x, a, b) + IncompleteBeta(1 - x, b, a) == Approx(1).epsilon(1e-11));
  }
}

TEST_CASE("The quantile inverts the distribution function") {
  for (const double degrees : {1.0, 2.0, 3.0, 9.0, 100.0}) {
    for (const double p : {0.01, 0.3, 0.6, 0.9, 0.999}) {
      CHECK(StudentTCdf(StudentTQuantile(p, degrees), degrees) == Approx(p).epsilon(1e-12));
    }
  }
}

TEST_CASE("Mean, deviation and interval of a worked example are numpy's") {
  // numpy: v.mean(), v.std(ddof=1), stats.t.ppf(.975, 2) * s / sqrt(3).
  const std::vector<double> values = {4.202, 4.198, 4.207};
  CHECK(Mean(values) == Approx(4.20233333333333).epsilon(1e-14));
  CHECK(SampleDeviation(values) == Approx(0.00450924975282263).epsilon(1e-12));
  const Interval interval = TInterval95(values);
  CHECK(interval.half_width == Approx(0.0112015973626875).epsilon(1e-11));
  CHECK(interval.n == 3);
}

TEST_CASE("Pairing removes what two arms have in common") {
  const std::vector<double> baseline = {4.202, 4.198, 4.207};
  const std::vector<double> values = {4.176, 4.171, 4.183};
  const Interval paired = PairedDifference(values, baseline);
  CHECK(paired.mean == Approx(-0.0256666666666667).epsilon(1e-12));
  CHECK(paired.half_width == Approx(0.00379458303359682).epsilon(1e-10));
  CHECK(paired.half_width < TInterval95(values).half_width);
  CHECK_FALSE(paired.Contains(0));
}

TEST_CASE("One value has a mean and no width") {
  const Interval interval = TInterval95(std::vector<double>{3.5});
  CHECK(interval.mean == 3.5);
  CHECK(std::isnan(interval.half_width));
  CHECK(std::isnan(SampleDeviation(std::vector<double>{3.5})));
  CHECK_FALSE(interval.Contains(3.5));
}

TEST_CASE("The 95 % interval holds the mean in 95 % of samples") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(1.25, 0.5);
  constexpr int kSamples = 20'000;
  int held = 0;
  for (int i = 0; i < kSamples; ++i) {
    std::vector<double> values(3);
    for (double& value : values) value = normal(random);
    held += TInterval95(values).Contains(1.25) ? 1 : 0;
  }
  // Six standard deviations of a binomial with p = 0.95.
  CHECK(std::fabs(held - 0.95 * kSamples) < 6 * std::sqrt(kSamples * 0.95 * 0.05));
}

}  // namespace
}  // namespace ddl
