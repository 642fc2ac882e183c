// Families for a scrape, filled by name from the table of common/metric_table.h: a name that is not
// there, or another number of labels, is a bug of ours and aborts.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ddl {

// A histogram as Prometheus counts it: `counts[i]` observations fell into bucket i of the family's
// bounds (not cumulative), the last into +Inf. Counts are doubles because ranks may report shares.
struct HistogramCounts {
  std::vector<double> counts;
  double sum = 0;

  // Adds one observation of a family with these bounds.
  void Observe(const std::vector<double>& bounds, double value);
};

class MetricFamilies {
 public:
  // `labels` are values in the order of the family's row.
  void Set(absl::string_view name, const std::vector<std::string>& labels, double value);
  // An empty `histogram` is one without observations.
  void SetHistogram(absl::string_view name, const std::vector<std::string>& labels,
                    const HistogramCounts& histogram);

  // In order of name.
  std::vector<prometheus::MetricFamily> Families() const;

 private:
  prometheus::ClientMetric& Add(absl::string_view name, const std::vector<std::string>& labels);
  std::map<std::string, prometheus::MetricFamily> families_;
};

}  // namespace ddl
