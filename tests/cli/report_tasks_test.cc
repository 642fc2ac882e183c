#include "cli/report_tasks.h"

#include <catch2/catch.hpp>

#include "common/series.h"
#include "common/spec_rules.h"

namespace ddl::cli {
namespace {

v1::ExperimentSpec SpecOf(const std::string& task, const std::string& kind, uint64_t seed) {
  v1::ExperimentSpec partial;
  partial.set_seed(seed);
  partial.mutable_model()->set_max_seq_len(32);
  partial.mutable_model()->mutable_residual()->set_kind(kind);
  if (task.empty()) {
    partial.mutable_data()->set_path("text");
  } else {
    partial.mutable_data()->mutable_synthetic()->set_task(task);
  }
  const auto resolved = ResolveSpec(partial);
  INFO(resolved.status());
  REQUIRE(resolved.ok());
  return *resolved;
}

void AddPoint(const std::string& key, int64_t step, double value, SourcedRun* run) {
  v1::Point point;
  point.set_step(step);
  point.set_tokens(100 * step);
  point.set_value(value);
  run->series[key].push_back(point);
}

// A run whose last accuracies are `mean` and, at position 31, `last`.
SourcedRun RunOf(const std::string& task, const std::string& kind, uint64_t seed, double mean,
                 double last) {
  SourcedRun run;
  run.spec = SpecOf(task, kind, seed);
  run.run.set_id(task + kind + std::to_string(seed));
  for (const int64_t step : {1, 2}) {
    AddPoint("val_accuracy", step, step == 2 ? mean : 0.01, &run);
    AddPoint("val_position_accuracy/16", step, step == 2 ? 1.0 : 0.01, &run);
    AddPoint("val_position_accuracy/31", step, step == 2 ? last : 0.01, &run);
  }
  return run;
}

TEST_CASE("Runs are sorted by their synthetic task, and text stays together") {
  const auto tasks = SortByTask({RunOf("s3", "ddl", 1, 0.5, 0.2), RunOf("recall", "ddl", 1, 1, 1),
                                 RunOf("s3", "additive", 1, 0.5, 0.2)});
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].name == "recall, T 32");
  CHECK(tasks[0].runs.size() == 1);
  CHECK(tasks[1].name == "s3, T 32");
  CHECK(tasks[1].runs.size() == 2);
  CHECK(tasks[1].chance == Approx(1.0 / 6));

  SourcedRun text;
  text.spec = SpecOf("", "ddl", 1);
  const auto mixed = SortByTask({RunOf("s3", "ddl", 1, 0.5, 0.2), text});
  REQUIRE(mixed.size() == 1);  // For Compare to refuse, naming the runs.
  CHECK(mixed[0].name.empty());
  CHECK(mixed[0].runs.size() == 2);
  CHECK(SolvedHtml(mixed).empty());
  CHECK(SolvedHtml({}).empty());
}

TEST_CASE("One table says which residual solves which task, with chance below") {
  const std::string html = SolvedHtml(SortByTask(
      {RunOf("s3", "ddl", 1, 0.96, 0.8), RunOf("s3", "ddl", 2, 0.98, 0.9),
       RunOf("s3", "additive", 1, 0.9499, 0.5), RunOf("recall", "ddl", 1, 0.25, 0.125)}));
  const auto row = [](const std::string& a, const std::string& b, const std::string& c) {
    return "<tr><td>" + a + "</td><td>" + b + "</td><td>" + c + "</td></tr>";
  };
  CHECK_THAT(html, Catch::Contains("<th>arm</th><th>recall, T 32</th><th>s3, T 32</th>"));
  CHECK_THAT(html,
             Catch::Contains(row("ddl/1", "0.2500 (last 0.1250)", "0.9700 (last 0.8500) solved")));
  CHECK_THAT(html, Catch::Contains(row("additive", "-", "0.9499 (last 0.5000)")));
  // Recall: 1/8 + 7/8 / 16.
  CHECK_THAT(html, Catch::Contains(row("chance", "0.1797", "0.1667")));
}

TEST_CASE("The accuracy by position is that of the last validation, a band over seeds") {
  const std::vector<SourcedRun> runs = {RunOf("s3", "ddl", 1, 0.96, 0.8),
                                        RunOf("s3", "ddl", 2, 0.98, 0.9)};
  const Chart chart = PositionChart(ArmsOf(runs, "val_accuracy"));
  REQUIRE(chart.lines.size() == 1);
  REQUIRE(chart.lines[0].points.size() == 2);
  CHECK(chart.lines[0].points[0].x == 16);
  CHECK(chart.lines[0].points[0].y == 1.0);
  CHECK(chart.lines[0].points[1].x == 31);
  CHECK(chart.lines[0].points[1].y == Approx(0.85));
  CHECK(chart.lines[0].points[1].low == 0.8);
  CHECK(chart.lines[0].points[1].high == 0.9);
  SourcedRun text;
  text.spec = SpecOf("", "ddl", 1);
  CHECK(PositionChart(ArmsOf({text}, "val_loss")).lines.empty());
}

}  // namespace
}  // namespace ddl::cli
