#include "cli/report_tasks.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/series.h"
#include "common/synthetic_spec.h"

namespace ddl::cli {
namespace {

// Position of "val_position_accuracy/17"; nullopt for other series.
std::optional<int> PositionOf(const std::string& key) {
  const std::string prefix = absl::StrCat(series::kValPositionAccuracy, "/");
  int position = 0;
  if (!absl::StartsWith(key, prefix) || !absl::SimpleAtoi(key.substr(prefix.size()), &position)) {
    return std::nullopt;
  }
  return position;
}

// Last accuracies of an arm's runs by position; the mean over positions is at -1.
std::map<int, std::vector<double>> LastAccuracies(const ReportArm& arm) {
  std::map<int, std::vector<double>> accuracies;
  for (const SourcedRun* run : arm.runs) {
    for (const auto& [key, points] : run->series) {
      if (points.empty()) continue;
      const std::optional<int> position = PositionOf(key);
      if (position) accuracies[*position].push_back(points.back().value());
      if (key == series::kValAccuracy) accuracies[-1].push_back(points.back().value());
    }
  }
  return accuracies;
}

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// "0.9774 (last 0.9512) solved"
std::string CellOf(const ReportArm& arm) {
  const auto accuracies = LastAccuracies(arm);
  const auto overall = accuracies.find(-1);
  if (overall == accuracies.end()) return "-";
  const double mean = MeanOf(overall->second);
  std::string cell = absl::StrFormat("%.4f", mean);
  if (accuracies.size() > 1) {
    absl::StrAppendFormat(&cell, " (last %.4f)", MeanOf(accuracies.rbegin()->second));
  }
  if (mean >= kSolvedAccuracy) absl::StrAppend(&cell, " solved");
  return cell;
}

}  // namespace

std::string TableRow(const std::vector<std::string>& cells, const char* tag) {
  std::string html = "<tr>";
  for (const std::string& cell : cells) {
    absl::StrAppend(&html, "<", tag, ">", EscapeHtml(cell), "</", tag, ">");
  }
  return html + "</tr>\n";
}

std::vector<ReportTask> SortByTask(std::vector<SourcedRun> runs) {
  std::map<std::pair<std::string, std::string>, ReportTask> tasks;  // By name and identity.
  for (const SourcedRun& run : runs) {
    const std::optional<SyntheticTask> task = SyntheticTaskOf(run.spec);
    if (!task) return {ReportTask{.runs = std::move(runs)}};
    const std::string name = absl::StrCat(SyntheticKindName(task->kind), ", T ", task->tokens);
    ReportTask& found = tasks[{name, run.spec.data().manifest_sha256()}];
    found.name = name;
    found.chance = ChanceAccuracy(*task);
    found.runs.push_back(run);
  }
  std::vector<ReportTask> sorted;
  for (auto& [key, task] : tasks) sorted.push_back(std::move(task));
  return sorted;
}

std::string SolvedHtml(const std::vector<ReportTask>& tasks) {
  if (tasks.empty() || tasks.front().name.empty()) return "";
  std::vector<std::string> header = {"arm"};
  std::vector<std::string> chance = {"chance"};
  std::map<std::string, std::vector<std::string>> rows;  // By arm.
  for (size_t column = 0; column < tasks.size(); ++column) {
    header.push_back(tasks[column].name);
    chance.push_back(absl::StrFormat("%.4f", tasks[column].chance));
    for (const ReportArm& arm : ArmsOf(tasks[column].runs, std::string(series::kValAccuracy))) {
      std::vector<std::string>& row = rows[arm.label];
      row.resize(tasks.size(), "-");
      row[column] = CellOf(arm);
    }
  }
  std::string html = absl::StrCat("<h2>Which residual solves which task</h2>\n",
                                  "<div class=\"wide\"><table><thead>", TableRow(header, "th"),
                                  "</thead><tbody>\n");
  for (auto& [label, row] : rows) {
    row.insert(row.begin(), label);
    absl::StrAppend(&html, TableRow(row, "td"));
  }
  return absl::StrCat(html, TableRow(chance, "td"), "</tbody></table></div>\n<p>",
                      "Validation accuracy at the end, a mean over seeds and positions; behind ",
                      "\"last\" that of the last position alone. ",
                      absl::StrFormat("Solved: at least %.2f. ", kSolvedAccuracy),
                      "Chance knows the rules but not what a token refers to. No validation ",
                      "sequence was trained on.</p>\n");
}

Chart PositionChart(const std::vector<ReportArm>& arms) {
  Chart chart;
  chart.id = "position-accuracy";
  chart.title = "Accuracy by position, at the last validation";
  chart.x_label = "position in the sequence";
  chart.y_label = "share of right answers";
  for (size_t i = 0; i < arms.size(); ++i) {
    ChartLine line{arms[i].label, static_cast<int>(i), {}};
    for (const auto& [position, values] : LastAccuracies(arms[i])) {
      if (position < 0) continue;
      ChartPoint point{static_cast<double>(position), MeanOf(values),
                       std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()};
      for (const double value : values) {
        point.low = std::min(point.low, value);
        point.high = std::max(point.high, value);
      }
      line.points.push_back(point);
    }
    if (!line.points.empty()) chart.lines.push_back(std::move(line));
  }
  return chart;
}

}  // namespace ddl::cli
