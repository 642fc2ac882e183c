#include "common/metric_families.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "common/metric_table.h"

namespace ddl {

TEST_CASE("A histogram counts an observation in the first bucket that holds it, and in all above") {
  const std::vector<double>& bounds = HistogramBounds("ddl_train_step_duration_seconds");
  HistogramCounts counts;
  counts.Observe(bounds, bounds[1]);  // On a bound: within it.
  counts.Observe(bounds, 1e9);
  MetricFamilies families;
  families.SetHistogram("ddl_train_step_duration_seconds", {"k3v9x2mq"}, counts);
  const auto made = families.Families();
  REQUIRE(made.size() == 1);
  const auto& histogram = made[0].metric[0].histogram;
  CHECK(histogram.bucket[0].cumulative_count == 0);
  CHECK(histogram.bucket[1].cumulative_count == 1);
  CHECK(histogram.bucket[bounds.size() - 1].cumulative_count == 1);
  CHECK(histogram.bucket.back().cumulative_count == 2);
  CHECK(std::isinf(histogram.bucket.back().upper_bound));
  CHECK(histogram.sample_count == 2);
  CHECK(histogram.sample_sum == bounds[1] + 1e9);
}

TEST_CASE("Families come in order of name with the labels of their rows") {
  MetricFamilies families;
  families.Set("ddl_train_phase_seconds_total", {"k3v9x2mq", "forward"}, 2.5);
  families.Set("ddl_build_info", {"worker", "1", "r"}, 1);
  const auto made = families.Families();
  REQUIRE(made.size() == 2);
  CHECK(made[0].name == "ddl_build_info");
  CHECK(made[1].metric[0].counter.value == 2.5);
  CHECK(made[1].metric[0].label[1].name == "phase");
  CHECK(made[1].metric[0].label[1].value == "forward");
}

}  // namespace ddl
