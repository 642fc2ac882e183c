#include "cli/chart.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <random>

#include "cli/live_screen.h"

namespace ddl::cli {
namespace {

TEST_CASE("Ticks are round, rise evenly and cover the range") {
  const uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(-6, 6);
  for (int i = 0; i < 500; ++i) {
    const double low = std::pow(10, exponent(random));
    const double high = low * (1 + std::pow(10, exponent(random)));
    const std::vector<double> ticks = Ticks(low, high);
    CHECK(ticks.front() <= low);
    CHECK(ticks.back() >= high * (1 - 1e-12));
    CHECK(ticks.size() >= 3);
    CHECK(ticks.size() <= 9);
  }
  CHECK(Ticks(2, 2) == std::vector<double>{2});
}

TEST_CASE("A chart draws each line in its style, with a legend and its numbers") {
  const Chart chart = {"c",
                       "Loss by <tokens>",
                       "tokens",
                       "loss",
                       {{"additive", 0, {{0, 4, 3.5, 4.5}, {10, 3, 3, 3}}}, {"ddl/1", 1, {}}}};
  const std::string html = ChartHtml(chart);
  CHECK(html.find("Loss by &lt;tokens&gt;") != std::string::npos);
  CHECK(html.find("class=\"line s0\"") != std::string::npos);
  CHECK(html.find("class=\"band s0\"") != std::string::npos);
  CHECK(html.find("<td>additive</td><td>10</td><td>3</td>") != std::string::npos);
  CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("A chart without points says so") {
  CHECK(ChartHtml({"c", "t", "x", "y", {{"a", 0, {}}}}).find("No points") != std::string::npos);
}

TEST_CASE("Larger values are drawn higher") {
  const std::string html =
      ChartHtml({"c", "t", "x", "y", {{"a", 0, {{0, 0, 0, 0}, {1, 1, 1, 1}}}}});
  const size_t path = html.find("class=\"line s0\" d=\"M");
  REQUIRE(path != std::string::npos);
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
  REQUIRE(std::sscanf(html.c_str() + path, "class=\"line s0\" d=\"M%lf %lfL%lf %lf", &x0, &y0, &x1,
                      &y1) == 4);
  CHECK(x1 > x0);
  CHECK(y1 < y0);  // SVG counts downwards.
}

TEST_CASE("A spark line falls when the loss falls") {
  CHECK(Sparkline({3, 2, 1}, 3) == "█▅▁");
  CHECK(Sparkline({1}, 3).empty());
  CHECK(Sparkline({1, 1}, 5) == "▁▁");
}

}  // namespace
}  // namespace ddl::cli
