#include "cli/report_curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/comparison_reading.h"
#include "common/series.h"

namespace ddl::cli {
namespace {

struct Gathered {
  double x = 0;
  std::vector<double> values;
};

ChartPoint PointOf(const Gathered& gathered) {
  const auto count = static_cast<double>(gathered.values.size());
  double sum = 0;
  for (const double value : gathered.values) sum += value;
  const auto [low, high] = std::minmax_element(gathered.values.begin(), gathered.values.end());
  return {gathered.x / count, sum / count, *low, *high};
}

// By tokens, at which the seeds of an arm record the same things; x is the mean over the seeds.
std::map<int64_t, Gathered> Gather(const ReportArm& arm, const std::string& series,
                                   ComparisonAxis axis) {
  std::map<int64_t, Gathered> gathered;
  for (const SourcedRun* run : arm.runs) {
    const auto found = run->series.find(series);
    if (found == run->series.end()) continue;
    for (const v1::Point& point : found->second) {
      if (!std::isfinite(point.value())) continue;
      Gathered& place = gathered[point.tokens()];
      place.x += CoordinateOf(point, axis);
      place.values.push_back(point.value());
    }
  }
  return gathered;
}

size_t RunsWith(const ReportArm& arm, const std::string& series) {
  return static_cast<size_t>(
      std::count_if(arm.runs.begin(), arm.runs.end(),
                    [&](const SourcedRun* run) { return run->series.count(series) > 0; }));
}

// Means of neighbouring points; the band keeps the extremes.
std::vector<ChartPoint> Thinned(const std::vector<ChartPoint>& points, size_t buckets) {
  if (buckets == 0 || points.size() <= buckets) return points;
  std::vector<ChartPoint> thinned;
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    const size_t begin = bucket * points.size() / buckets;
    const size_t end = (bucket + 1) * points.size() / buckets;
    ChartPoint mean = {0, 0, points[begin].low, points[begin].high};
    for (size_t i = begin; i < end; ++i) {
      mean.x += points[i].x / static_cast<double>(end - begin);
      mean.y += points[i].y / static_cast<double>(end - begin);
      mean.low = std::min(mean.low, points[i].low);
      mean.high = std::max(mean.high, points[i].high);
    }
    thinned.push_back(mean);
  }
  return thinned;
}

std::string AxisLabel(const std::string& x) {
  if (x == "tokens") return "training tokens";
  if (x == "flops") return "training FLOPs";
  return x == "time" ? "active seconds" : "optimizer steps";
}

}  // namespace

std::vector<ReportArm> ArmsOf(const std::vector<SourcedRun>& runs, const std::string& metric) {
  const std::vector<ComparedRun> compared = ForComparison(runs, metric);
  std::vector<ReportArm> arms;
  for (const ComparedArm& arm : SortIntoArms(compared)) {
    ReportArm& report = arms.emplace_back();
    report.label = arm.label;
    for (const ComparedRun* run : arm.runs) {
      report.runs.push_back(&runs[static_cast<size_t>(run - compared.data())]);
    }
  }
  return arms;
}

Chart SeriesChart(const std::vector<ReportArm>& arms, const std::string& series,
                  const std::string& x, size_t buckets) {
  const ComparisonAxis axis = ParseComparisonAxis(x).value_or(ComparisonAxis::kTokens);
  Chart chart;
  chart.id = absl::StrCat(series, "-", x);
  chart.title = absl::StrCat(series, " by ", AxisLabel(x));
  chart.x_label = AxisLabel(x);
  chart.y_label = absl::StrCat(series, absl::EndsWith(series, "loss") ? " (nats per token)" : "");
  for (size_t i = 0; i < arms.size(); ++i) {
    ChartLine line{arms[i].label, static_cast<int>(i), {}};
    const size_t runs = RunsWith(arms[i], series);
    for (const auto& [tokens, gathered] : Gather(arms[i], series, axis)) {
      if (gathered.values.size() == runs) line.points.push_back(PointOf(gathered));
    }
    line.points = Thinned(line.points, buckets);
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

Chart GateChart(const std::vector<ReportArm>& arms) {
  Chart chart;
  chart.id = "gate-beta";
  chart.title = "Mean gate beta by layer, at the last recorded step";
  chart.x_label = "layer";
  chart.y_label = "beta";
  int style = 0;
  for (const ReportArm& arm : arms) {
    std::map<std::string, std::map<int, Gathered>> sublayers;
    for (const SourcedRun* run : arm.runs) {
      for (const auto& [key, points] : run->series) {
        const std::vector<std::string> parts = absl::StrSplit(key, '/');
        int layer = 0;
        if (parts.size() != 3 || parts[0] != series::kGateBetaMean || points.empty() ||
            !absl::SimpleAtoi(parts[1], &layer) || !std::isfinite(points.back().value())) {
          continue;
        }
        Gathered& place = sublayers[parts[2]][layer];
        place.x += layer;
        place.values.push_back(points.back().value());
      }
    }
    for (const auto& [sublayer, layers] : sublayers) {
      ChartLine line{absl::StrCat(arm.label, ", ", sublayer), style++, {}};
      for (const auto& [layer, gathered] : layers) line.points.push_back(PointOf(gathered));
      chart.lines.push_back(std::move(line));
    }
  }
  return chart;
}

}  // namespace ddl::cli
