#include "common/metric_families.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/check.h"
#include "common/metric_table.h"

namespace ddl {
namespace {

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return prometheus::MetricType::Counter;
    case MetricType::kGauge: return prometheus::MetricType::Gauge;
    case MetricType::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

void HistogramCounts::Observe(const std::vector<double>& bounds, double value) {
  counts.resize(bounds.size() + 1);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  counts[static_cast<size_t>(bucket)] += 1;
  sum += value;
}

prometheus::ClientMetric& MetricFamilies::Add(absl::string_view name,
                                              const std::vector<std::string>& labels) {
  const MetricRow* row = FindMetric(name);
  DDL_CHECK(row != nullptr);
  const std::vector<std::string> names = LabelsOf(*row);
  DDL_CHECK(names.size() == labels.size());
  prometheus::MetricFamily& family = families_[std::string(name)];
  if (family.name.empty()) {
    family.name = std::string(row->name);
    family.help = std::string(row->help);
    family.type = TypeOf(row->type);
  }
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (size_t i = 0; i < labels.size(); ++i) {
    metric.label.push_back({names[i], labels[i]});
  }
  return metric;
}

void MetricFamilies::Set(absl::string_view name, const std::vector<std::string>& labels,
                         double value) {
  prometheus::ClientMetric& metric = Add(name, labels);
  switch (families_.find(std::string(name))->second.type) {
    case prometheus::MetricType::Counter: metric.counter.value = value; break;
    case prometheus::MetricType::Gauge: metric.gauge.value = value; break;
    default: DDL_CHECK(false);
  }
}

void MetricFamilies::SetHistogram(absl::string_view name, const std::vector<std::string>& labels,
                                  const HistogramCounts& histogram) {
  prometheus::ClientMetric& metric = Add(name, labels);
  const std::vector<double>& bounds = HistogramBounds(name);
  DDL_CHECK(!bounds.empty());
  DDL_CHECK(histogram.counts.empty() || histogram.counts.size() == bounds.size() + 1);
  double cumulative = 0;
  for (size_t i = 0; i <= bounds.size(); ++i) {
    if (!histogram.counts.empty()) cumulative += histogram.counts[i];
    prometheus::ClientMetric::Bucket bucket;
    bucket.cumulative_count = static_cast<uint64_t>(std::llround(cumulative));
    bucket.upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = metric.histogram.bucket.back().cumulative_count;
  metric.histogram.sample_sum = histogram.sum;
}

std::vector<prometheus::MetricFamily> MetricFamilies::Families() const {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(families_.size());
  for (const auto& [name, family] : families_) families.push_back(family);
  return families;
}

}  // namespace ddl
