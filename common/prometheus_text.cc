#include "common/prometheus_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/check.h"

namespace ddl {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

absl::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::Counter: return "counter";
    case MetricType::Gauge: return "gauge";
    case MetricType::Summary: return "summary";
    case MetricType::Untyped: return "untyped";
    case MetricType::Histogram: return "histogram";
    default: return "untyped";
  }
}

// One sample line; `name` has its suffix already, `extra` is one more label or empty.
void AppendSample(const std::string& name, const ClientMetric& metric, const std::string& extra,
                  const std::string& value, std::string* out) {
  std::string labels;
  for (const ClientMetric::Label& label : metric.label) {
    const std::string escaped =
        absl::StrReplaceAll(label.value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
    absl::StrAppend(&labels, labels.empty() ? "" : ",", label.name, "=\"", escaped, "\"");
  }
  if (!extra.empty()) absl::StrAppend(&labels, labels.empty() ? "" : ",", extra);
  absl::StrAppend(out, name, labels.empty() ? "" : absl::StrCat("{", labels, "}"), " ", value);
  if (metric.timestamp_ms != 0) absl::StrAppend(out, " ", metric.timestamp_ms);
  out->push_back('\n');
}

void AppendHistogram(const std::string& name, const ClientMetric& metric, std::string* out) {
  bool has_infinity = false;
  for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
    has_infinity = has_infinity || std::isinf(bucket.upper_bound);
    AppendSample(name + "_bucket", metric, absl::StrCat("le=\"", Number(bucket.upper_bound), "\""),
                 absl::StrCat(bucket.cumulative_count), out);
  }
  const std::string count = absl::StrCat(metric.histogram.sample_count);
  if (!has_infinity) AppendSample(name + "_bucket", metric, "le=\"+Inf\"", count, out);
  AppendSample(name + "_sum", metric, "", Number(metric.histogram.sample_sum), out);
  AppendSample(name + "_count", metric, "", count, out);
}

void AppendSummary(const std::string& name, const ClientMetric& metric, std::string* out) {
  for (const ClientMetric::Quantile& quantile : metric.summary.quantile) {
    AppendSample(name, metric, absl::StrCat("quantile=\"", Number(quantile.quantile), "\""),
                 Number(quantile.value), out);
  }
  AppendSample(name + "_sum", metric, "", Number(metric.summary.sample_sum), out);
  AppendSample(name + "_count", metric, "", absl::StrCat(metric.summary.sample_count), out);
}

void AppendMetric(const MetricFamily& family, const ClientMetric& metric, std::string* out) {
  switch (family.type) {
    case MetricType::Counter:
      AppendSample(family.name, metric, "", Number(metric.counter.value), out);
      break;
    case MetricType::Gauge:
      AppendSample(family.name, metric, "", Number(metric.gauge.value), out);
      break;
    case MetricType::Histogram: AppendHistogram(family.name, metric, out); break;
    case MetricType::Summary: AppendSummary(family.name, metric, out); break;
    default: AppendSample(family.name, metric, "", Number(metric.untyped.value), out); break;
  }
}

}  // namespace

std::string PrometheusText(const std::vector<MetricFamily>& families) {
  std::string text;
  for (const MetricFamily& family : families) {
    const std::string help = absl::StrReplaceAll(family.help, {{"\\", "\\\\"}, {"\n", "\\n"}});
    absl::StrAppend(&text, "# HELP ", family.name, " ", help, "\n# TYPE ", family.name, " ",
                    TypeName(family.type), "\n");
    for (const ClientMetric& metric : family.metric) AppendMetric(family, metric, &text);
  }
  return text;
}

HttpResponse PrometheusResponse(const std::vector<MetricFamily>& families) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = PrometheusText(families)};
}

}  // namespace ddl
