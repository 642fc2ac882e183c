#include "cli/comparison_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/terminal_text.h"

namespace ddl::cli {
namespace {

// Arms come once for each place, in the order of the places: the distinct ones of both.
struct Grid {
  std::vector<std::string> labels;
  std::vector<double> places;
};

Grid GridOf(const v1::Comparison& comparison) {
  Grid grid;
  for (const v1::Arm& arm : comparison.arms()) {
    if (std::find(grid.labels.begin(), grid.labels.end(), arm.label()) == grid.labels.end()) {
      grid.labels.push_back(arm.label());
    }
    if (std::find(grid.places.begin(), grid.places.end(), arm.at()) == grid.places.end()) {
      grid.places.push_back(arm.at());
    }
  }
  return grid;
}

const v1::Arm* Find(const v1::Comparison& comparison, const std::string& label, double at) {
  for (const v1::Arm& arm : comparison.arms()) {
    if (arm.label() == label && arm.at() == at) return &arm;
  }
  return nullptr;
}

std::vector<Cell> HeaderOf(const v1::Comparison& comparison, const Grid& grid) {
  std::vector<Cell> header = {{comparison.metric()}, {"n"}};
  for (const double at : grid.places) {
    header.push_back({absl::StrCat("@", PlaceOnAxis(comparison.x(), at))});
    if (!comparison.baseline().empty()) {
      header.push_back({absl::StrCat("Δ vs ", comparison.baseline())});
    }
  }
  header.push_back({"tok/s"});
  return header;
}

}  // namespace

std::string PlaceOnAxis(const std::string& x, double at) {
  return x == "time" ? SecondsText(at) : CountText(at);
}

std::string MeanText(const v1::Arm& arm) {
  if (arm.n() == 0) return "-";
  if (!std::isfinite(arm.half_width())) return absl::StrFormat("%.4f", arm.mean());
  return absl::StrFormat("%.4f ± %.4f", arm.mean(), arm.half_width());
}

std::string DifferenceText(const v1::Arm& arm) {
  if (!arm.has_difference()) return "-";
  if (!std::isfinite(arm.difference_half_width()))
    return absl::StrFormat("%+.4f", arm.difference());
  return absl::StrFormat("%+.4f ± %.4f", arm.difference(), arm.difference_half_width());
}

std::string ComparisonText(const v1::Comparison& comparison, const Arguments& arguments) {
  const Grid grid = GridOf(comparison);
  std::vector<std::vector<Cell>> rows = {HeaderOf(comparison, grid)};
  std::string missing;
  for (const std::string& label : grid.labels) {
    std::vector<Cell>& row = rows.emplace_back();
    const v1::Arm* last = nullptr;
    row.push_back({label});
    row.push_back({"0"});
    for (const double at : grid.places) {
      const v1::Arm* arm = Find(comparison, label, at);
      row.push_back({arm == nullptr ? "-" : MeanText(*arm)});
      if (!comparison.baseline().empty()) {
        row.push_back({arm == nullptr ? "-" : DifferenceText(*arm)});
      }
      if (arm == nullptr) continue;
      last = arm;
      for (const std::string& reason : arm->missing()) {
        absl::StrAppend(&missing, "missing at ", PlaceOnAxis(comparison.x(), at), ": ",
                        TerminalText(reason, false), "\n");
      }
    }
    if (last != nullptr) row[1].text = absl::StrCat(last->n());
    row.push_back({last == nullptr ? "-" : CountText(last->tokens_per_second())});
  }
  std::vector<bool> right(rows[0].size(), true);
  right[0] = false;
  std::string text = TableText(rows, right, arguments.color);
  absl::StrAppend(&text, "By ", comparison.x(), ". ± is a 95 % t-interval over seeds",
                  comparison.baseline().empty() ? ".\n" : "; Δ is paired by seed.\n", missing);
  for (const std::string& remark : comparison.remarks()) {
    absl::StrAppend(&text, TerminalText(remark, false), "\n");
  }
  if (comparison.different_keys().empty()) return text;
  std::vector<std::vector<Cell>> keys = {{{"DIFFERENT KEY"}}};
  for (const std::string& label : grid.labels) keys[0].push_back({label});
  for (const v1::DifferentKey& key : comparison.different_keys()) {
    std::vector<Cell>& row = keys.emplace_back();
    row.push_back({key.path()});
    for (const std::string& value : key.values()) row.push_back({value.empty() ? "-" : value});
  }
  return absl::StrCat(text, "\n",
                      TableText(keys, std::vector<bool>(keys[0].size(), false), arguments.color));
}

}  // namespace ddl::cli
