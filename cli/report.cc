// `ddl report`: a comparison as one HTML file that needs no network and no JavaScript.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/comparison_text.h"
#include "cli/output.h"
#include "cli/report_curves.h"
#include "cli/report_tasks.h"
#include "cli/run_source.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/numbers.h"
#include "common/series.h"
#include "common/spec_yaml.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl::cli {
namespace {

constexpr size_t kTrainPoints = 150;  // Of a training curve.

constexpr const char* kCss = R"css(
:root{color-scheme:light dark;--text:#1b1b1b;--page:#fff;--grid:#e2e2e2;--faint:#5c5c5c}
@media (prefers-color-scheme:dark){
  :root{--text:#e8e8e8;--page:#16181c;--grid:#34373d;--faint:#a0a4ab}
}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);
  max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
figure{margin:1.5rem 0}figcaption{font-weight:600;margin-bottom:.5rem}
svg[role=img]{width:100%;height:auto}svg text{font-size:12px;fill:var(--faint)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid var(--grid);padding:.25rem .75rem .25rem 0;
  text-align:left;vertical-align:top}
td{white-space:nowrap}footer td{white-space:normal}
.wide{overflow-x:auto}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem}
.legend svg{margin-right:.5rem}
footer,details{color:var(--faint);font-size:.85rem}footer td{overflow-wrap:anywhere}
)css";

std::string ComparisonHtml(const v1::Comparison& comparison) {
  std::string html =
      absl::StrCat("<h2>Comparison</h2>\n<div class=\"wide\"><table><thead>",
                   TableRow({"arm", absl::StrCat("at ", comparison.x()), "n",
                             absl::StrCat("mean ", comparison.metric()),
                             comparison.baseline().empty()
                                 ? "difference"
                                 : absl::StrCat("difference from ", comparison.baseline()),
                             "pairs", "tokens per second", "values (seed: value)"},
                            "th"),
                   "</thead><tbody>\n");
  for (const v1::Arm& arm : comparison.arms()) {
    std::vector<std::string> values;
    for (const v1::ArmValue& value : arm.values()) {
      values.push_back(absl::StrCat(value.seed(), ": ", LossText(value.value())));
    }
    absl::StrAppend(
        &html, TableRow({arm.label(), PlaceOnAxis(comparison.x(), arm.at()), absl::StrCat(arm.n()),
                         MeanText(arm), DifferenceText(arm), absl::StrCat(arm.pairs()),
                         CountText(arm.tokens_per_second()), absl::StrJoin(values, ", ")},
                        "td"));
  }
  absl::StrAppend(&html,
                  "</tbody></table></div>\n<p>± is a 95 % t-interval over seeds; differences are "
                  "paired by seed.</p>\n");
  std::vector<std::string> remarks(comparison.remarks().begin(), comparison.remarks().end());
  for (const v1::Arm& arm : comparison.arms()) {
    remarks.insert(remarks.end(), arm.missing().begin(), arm.missing().end());
  }
  if (!remarks.empty()) {
    absl::StrAppend(&html, "<ul>");
    for (const std::string& remark : remarks) {
      absl::StrAppend(&html, "<li>", EscapeHtml(remark), "</li>");
    }
    absl::StrAppend(&html, "</ul>\n");
  }
  return html;
}

std::string KeysHtml(const v1::Comparison& comparison) {
  if (comparison.different_keys().empty()) return "";
  std::vector<std::string> header = {"key"};
  for (const v1::Arm& arm : comparison.arms()) {
    if (std::find(header.begin() + 1, header.end(), arm.label()) == header.end()) {
      header.push_back(arm.label());
    }
  }
  std::string html = absl::StrCat("<h2>What differs</h2>\n<div class=\"wide\"><table><thead>",
                                  TableRow(header, "th"), "</thead><tbody>\n");
  for (const v1::DifferentKey& key : comparison.different_keys()) {
    std::vector<std::string> cells = {key.path()};
    cells.insert(cells.end(), key.values().begin(), key.values().end());
    absl::StrAppend(&html, TableRow(cells, "td"));
  }
  return html + "</tbody></table></div>\n";
}

std::string ChartsHtml(const std::vector<ReportArm>& arms, const std::string& metric) {
  std::string html =
      "<h2>Curves</h2>\n<p>Lines are means over seeds, bands reach from the lowest "
      "to the highest seed.</p>\n";
  for (const char* x : {"tokens", "flops", "time"}) {
    absl::StrAppend(&html, ChartHtml(SeriesChart(arms, metric, x, 0)));
  }
  absl::StrAppend(
      &html, ChartHtml(SeriesChart(arms, std::string(series::kTrainLoss), "tokens", kTrainPoints)));
  const Chart gates = GateChart(arms);
  if (gates.lines.empty()) return html;
  return absl::StrCat(html,
                      "<h2>Gates</h2>\n<p>beta near 0 keeps the state, near 1 replaces what "
                      "lies along the direction, near 2 reflects it.</p>\n",
                      ChartHtml(gates));
}

// What is needed to make the same numbers again.
std::string ProvenanceHtml(const std::vector<SourcedRun>& runs, absl::Time now) {
  std::string html = absl::StrCat(
      "<footer><h2>Provenance</h2>\n<p>Made by ddl ", EscapeHtml(VersionLine()), " at ",
      Rfc3339(now),
      ". The spec's hash is the SHA-256 of <code>ddl config RUN --resolved</code>.</p>\n"
      "<div class=\"wide\"><table><thead>",
      TableRow({"run", "name", "residual", "seed", "state", "tokens", "active time", "spec",
                "data manifest", "device", "libraries"},
               "th"),
      "</thead><tbody>\n");
  for (const SourcedRun& sourced : runs) {
    absl::StrAppend(
        &html,
        TableRow({sourced.run.id(), sourced.run.name(), sourced.run.residual(),
                  absl::StrCat(sourced.run.seed()), sourced.run.state(),
                  absl::StrCat(sourced.run.tokens()), SecondsText(sourced.run.active_seconds()),
                  Sha256Hex(WriteYaml(sourced.spec)), sourced.spec.data().manifest_sha256(),
                  sourced.device, sourced.library_versions},
                 "td"));
  }
  return html + "</tbody></table></div></footer>\n";
}

// Of the tasks of a synthetic report: the curves that tell them apart.
std::string TaskChartsHtml(const std::vector<ReportArm>& arms, const std::string& metric,
                           size_t task) {
  std::string html;
  for (Chart chart : {SeriesChart(arms, metric, "tokens", 0), PositionChart(arms)}) {
    absl::StrAppend(&chart.id, "-", task);
    absl::StrAppend(&html, ChartHtml(chart));
  }
  return html;
}

std::string PositionsHtml(const std::vector<ReportArm>& arms) {
  const Chart positions = PositionChart(arms);
  return positions.lines.empty() ? "" : ChartHtml(positions);
}

// A section for each task; a single one has all curves.
absl::StatusOr<std::string> SectionsHtml(const std::vector<ReportTask>& tasks,
                                         const ComparisonRequest& request) {
  std::string html = SolvedHtml(tasks);
  for (size_t i = 0; i < tasks.size(); ++i) {
    DDL_ASSIGN_OR_RETURN(const v1::Comparison comparison,
                         Compare(ForComparison(tasks[i].runs, request.metric), request));
    const std::vector<ReportArm> arms = ArmsOf(tasks[i].runs, request.metric);
    if (tasks.size() == 1) {
      absl::StrAppend(&html, ComparisonHtml(comparison), ChartsHtml(arms, request.metric),
                      PositionsHtml(arms), KeysHtml(comparison));
      continue;
    }
    absl::StrAppend(&html, "<h2>", EscapeHtml(tasks[i].name), "</h2>\n", ComparisonHtml(comparison),
                    TaskChartsHtml(arms, request.metric, i), KeysHtml(comparison));
  }
  return html;
}

// What a report reads of every run.
std::vector<std::string> SeriesOf(const std::string& metric) {
  std::vector<std::string> names = {metric, std::string(series::kTrainLoss),
                                    absl::StrCat(series::kGateBetaMean, "/*"),
                                    absl::StrCat(series::kValPositionAccuracy, "/*")};
  if (metric != series::kValAccuracy) names.emplace_back(series::kValAccuracy);
  return names;
}

absl::StatusOr<std::vector<double>> Places(const Arguments& arguments) {
  std::vector<double> places;
  if (!arguments.Has("at")) return places;
  for (const std::string& word :
       std::vector<std::string>(absl::StrSplit(arguments.Get("at"), ','))) {
    const auto place = ParseReal(word, NumberUnit::kTokens);
    if (!place.ok()) return Annotate(place.status(), "--at");
    places.push_back(*place);
  }
  return places;
}

absl::StatusOr<ExitCode> RunReport(const Arguments& arguments, Io& io) {
  const std::string metric = arguments.Get("metric", std::string(series::kValLoss));
  const std::string title = arguments.Get("title", "Comparison of residual updates");
  DDL_ASSIGN_OR_RETURN(const std::vector<double> places, Places(arguments));
  DDL_ASSIGN_OR_RETURN(const std::vector<SourcedRun> runs,
                       ReadRuns(SeriesOf(metric), arguments, io));
  DDL_ASSIGN_OR_RETURN(
      const std::string sections,
      SectionsHtml(
          SortByTask(runs),
          {.metric = metric, .x = "tokens", .at = places, .baseline = arguments.Get("baseline")}));
  const std::string html = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>",
      EscapeHtml(title), "</title>\n<style>", kCss, ChartCss(), "</style></head>\n<body><h1>",
      EscapeHtml(title), "</h1>\n", sections, ProvenanceHtml(runs, absl::Now()),
      "</body></html>\n");
  const std::string file = arguments.Get("out", "report.html");
  DDL_RETURN_IF_ERROR(WriteFileAtomically(file, html));
  Json tree = {{"file", file}, {"runs", runs.size()}, {"bytes", html.size()}};
  DDL_RETURN_IF_ERROR(PrintTree(tree, "file", absl::StrCat(file, "\n"), arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb ReportVerb() {
  return {.name = "report",
          .positional = "[RUN|FOLDER...]",
          .max_positional = -1,
          .doc = "Write a comparison with curves as one HTML file",
          .flags = WithSelectionFlags(
              {{"out", 0, "FILE", "File to write; default report.html"},
               {"metric", 'm', "SERIES", "Series to compare; default val_loss"},
               {"at", 0, "TOKENS", "Token counts to compare at, separated by commas: 8M,20M"},
               {"baseline", 0, "ARM", "Arm or run to take differences from; default additive"},
               {"title", 0, "TEXT", "Title of the page"}}),
          .run = RunReport};
}

}  // namespace ddl::cli
