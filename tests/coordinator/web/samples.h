// Samples of Prometheus families as one map: "name{label values}" to value.
#pragma once

#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <vector>

namespace ddl::coordinator {

inline std::map<std::string, double> Samples(
    const std::vector<prometheus::MetricFamily>& families) {
  std::map<std::string, double> samples;
  for (const prometheus::MetricFamily& family : families) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string key = family.name + "{";
      for (const auto& label : metric.label) {
        key += (key.back() == '{' ? "" : ",") + label.value;
      }
      const bool counter = family.type == prometheus::MetricType::Counter;
      const bool histogram = family.type == prometheus::MetricType::Histogram;
      samples[key + "}"] = histogram ? static_cast<double>(metric.histogram.sample_count)
                           : counter ? metric.counter.value
                                     : metric.gauge.value;
    }
  }
  return samples;
}

}  // namespace ddl::coordinator
