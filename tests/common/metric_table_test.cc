#include "common/metric_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/metric_families.h"
#include "common/prometheus_text.h"

namespace ddl {

TEST_CASE("Metric names are unique and end as their types and units say") {
  std::set<std::string> names;
  for (const MetricRow& row : MetricTable()) {
    CAPTURE(row.name);
    CHECK(names.insert(std::string(row.name)).second);
    CHECK(absl::EndsWith(row.name, "_total") == (row.type == MetricType::kCounter));
    CHECK(HistogramBounds(row.name).empty() == (row.type != MetricType::kHistogram));
    CHECK(std::is_sorted(HistogramBounds(row.name).begin(), HistogramBounds(row.name).end()));
    CHECK_FALSE(row.help.empty());
    const std::vector<std::string> labels = LabelsOf(row);
    CHECK(std::set<std::string>(labels.begin(), labels.end()).size() == labels.size());
    if (row.unit == "seconds" || row.unit == "bytes" || row.unit == "ratio") {
      const absl::string_view name = row.name;
      const std::string unit = absl::StrCat("_", row.unit);
      CHECK((absl::EndsWith(name, unit) || absl::EndsWith(name, unit + "_total")));
    }
  }
}

TEST_CASE("There are at least 40 families") { CHECK(MetricTable().size() >= 40); }

TEST_CASE("promtool has nothing to say about a page of all families") {
  MetricFamilies families;
  for (const MetricRow& row : MetricTable()) {
    const std::vector<std::string> labels(LabelsOf(row).size(), "x");
    if (row.type == MetricType::kHistogram) {
      families.SetHistogram(row.name, labels, {});
    } else {
      families.Set(row.name, labels, 1);
    }
  }
  if (std::system("command -v promtool >/dev/null") != 0) {
    WARN("promtool is not installed: the page is not linted");
    return;
  }
  std::string path = "/tmp/ddl-metrics-XXXXXX";
  REQUIRE(mkstemp(path.data()) >= 0);
  REQUIRE(WriteFileAtomically(path, PrometheusText(families.Families())).ok());
  const int status = std::system(absl::StrCat("promtool check metrics < ", path).c_str());
  REQUIRE(std::remove(path.c_str()) == 0);
  CHECK(status == 0);
}

}  // namespace ddl
