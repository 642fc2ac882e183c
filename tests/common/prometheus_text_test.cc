#include "common/prometheus_text.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>

namespace ddl {
namespace {

TEST_CASE("The text of a counter, a gauge and a histogram is Prometheus' format") {
  prometheus::Registry registry;
  prometheus::BuildCounter()
      .Name("ddl_steps_total")
      .Help("Steps.")
      .Register(registry)
      .Add({{"run", "abc"}})
      .Increment(3);
  prometheus::BuildGauge()
      .Name("ddl_up")
      .Help("A \\ and a\nnewline.")
      .Register(registry)
      .Add({{"why", "a\"b\\c\nd"}})
      .Set(-0.5);
  auto& histogram = prometheus::BuildHistogram()
                        .Name("ddl_seconds")
                        .Help("Time.")
                        .Register(registry)
                        .Add({}, prometheus::Histogram::BucketBoundaries{0.1, 1});
  histogram.Observe(0.05);
  histogram.Observe(0.5);
  histogram.Observe(5);
  // Written by hand from the format's description.
  CHECK(PrometheusText(registry.Collect()) ==
        "# HELP ddl_steps_total Steps.\n"
        "# TYPE ddl_steps_total counter\n"
        "ddl_steps_total{run=\"abc\"} 3\n"
        "# HELP ddl_up A \\\\ and a\\nnewline.\n"
        "# TYPE ddl_up gauge\n"
        "ddl_up{why=\"a\\\"b\\\\c\\nd\"} -0.5\n"
        "# HELP ddl_seconds Time.\n"
        "# TYPE ddl_seconds histogram\n"
        "ddl_seconds_bucket{le=\"0.1\"} 1\n"
        "ddl_seconds_bucket{le=\"1\"} 2\n"
        "ddl_seconds_bucket{le=\"+Inf\"} 3\n"
        "ddl_seconds_sum 5.55\n"
        "ddl_seconds_count 3\n");
}

TEST_CASE("A value reads back as the same double") {
  for (const double value : {0.1 + 0.2, 1e300 / 3, 123456789012345678.0, 5e-324, -0.0,
                             std::numeric_limits<double>::max()}) {
    prometheus::MetricFamily family{"x", "x", prometheus::MetricType::Gauge, {{}}};
    family.metric[0].gauge.value = value;
    const std::string text = PrometheusText({family});
    INFO(text);
    CHECK(std::strtod(text.c_str() + text.rfind(' '), nullptr) == value);
  }
}

TEST_CASE("Values that are no numbers have Prometheus' names") {
  prometheus::MetricFamily family{"x", "x", prometheus::MetricType::Untyped, {{}, {}, {}}};
  family.metric[0].untyped.value = std::numeric_limits<double>::quiet_NaN();
  family.metric[1].untyped.value = std::numeric_limits<double>::infinity();
  family.metric[2].untyped.value = -std::numeric_limits<double>::infinity();
  CHECK(PrometheusText({family}) == "# HELP x x\n# TYPE x untyped\nx NaN\nx +Inf\nx -Inf\n");
}

TEST_CASE("The response has the format's content type") {
  CHECK(PrometheusResponse({}).content_type == "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace ddl
