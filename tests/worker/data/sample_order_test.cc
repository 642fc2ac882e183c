#include "worker/data/sample_order.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <vector>

namespace ddl {
namespace {

TEST_CASE("Every epoch shows every window once") {
  for (const int64_t windows : {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4097}) {
    const SampleOrder order(/*seed=*/5, windows);
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      std::set<int64_t> seen;
      for (int64_t i = 0; i < windows; ++i) seen.insert(order.Window(epoch * windows + i));
      INFO(windows << " windows, epoch " << epoch);
      CHECK(seen.size() == static_cast<size_t>(windows));
      CHECK(*seen.begin() == 0);
      CHECK(*seen.rbegin() == windows - 1);
    }
  }
}

std::vector<int64_t> First(uint64_t seed, int64_t first) {
  const SampleOrder order(seed, 1000);
  std::vector<int64_t> windows;
  for (int64_t i = 0; i < 1000; ++i) windows.push_back(order.Window(first + i));
  return windows;
}

// Pearson's coefficient of two orders of the same windows.
double Correlation(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - 499.5) * (static_cast<double>(b[i]) - 499.5);
  }
  return sum / (1000.0 * (1000.0 * 1000.0 - 1) / 12.0);
}

TEST_CASE("Seeds and epochs have orders of their own, and none is the text's") {
  std::vector<int64_t> text;
  for (int64_t i = 0; i < 1000; ++i) text.push_back(i);
  const std::vector<int64_t> first = First(1, 0);
  CHECK(first == First(1, 0));
  // Five deviations of the correlation of two independent orders.
  const double limit = 5 / std::sqrt(999.0);
  CHECK(std::abs(Correlation(first, text)) < limit);
  CHECK(std::abs(Correlation(first, First(2, 0))) < limit);
  CHECK(std::abs(Correlation(first, First(1, 1000))) < limit);
}

TEST_CASE("A text of a trillion windows needs no table") {
  const SampleOrder order(1, int64_t{1000} * 1000 * 1000 * 1000);
  CHECK(order.Window(0) != order.Window(1));
  CHECK(order.Window(123456789) >= 0);
}

}  // namespace
}  // namespace ddl
