// Every Prometheus family that the programs publish. A name that is not here cannot be published
// (common/metric_families.h checks it), and a family that nothing feeds has no row.
//
// Sees neither Prometheus' library nor protobuf.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ddl {

enum class MetricType { kCounter, kGauge, kHistogram };
enum class MetricOwner { kCoordinator, kWorker, kBoth };

struct MetricRow {
  absl::string_view name;
  MetricType type;
  absl::string_view labels;  // Names with commas between, in the order in which values are given.
  absl::string_view unit;    // "seconds", "bytes", ...; empty for plain numbers.
  absl::string_view help;
  MetricOwner owner;
};

// In the order of the page: first the coordinator's, then the workers'.
const std::vector<MetricRow>& MetricTable();

// Null for a name that is not in the table.
const MetricRow* FindMetric(absl::string_view name);

std::vector<std::string> LabelsOf(const MetricRow& row);

// Upper bounds of a histogram family's buckets, rising, without +Inf. Empty for other families.
const std::vector<double>& HistogramBounds(absl::string_view name);

}  // namespace ddl
