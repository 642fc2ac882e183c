// Runs and points as text.
#include "coordinator/web/run_json.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

namespace ddl::coordinator {
namespace {

TEST_CASE("runs become JSON by field name, numbers as numbers, what is not there as null") {
  v1::ListRunsResponse list;
  v1::Run& run = *list.add_runs();
  run.set_id("abcd1234");
  run.set_seed(9007199254740991);
  run.set_step(12);
  run.set_train_loss(4.25);
  run.set_val_loss(std::numeric_limits<double>::quiet_NaN());
  run.add_tags("caf\xc3\xa9");
  run.mutable_submitted()->set_seconds(1'700'000'000);
  run.mutable_submitted()->set_nanos(250'000'000);
  list.set_next_page_token("7");
  const auto json = nlohmann::json::parse(RunsJson(list));
  CHECK(json["next_page_token"] == "7");
  const auto& row = json["runs"][0];
  CHECK(row["id"] == "abcd1234");
  CHECK(row["seed"] == 9007199254740991);
  CHECK(row["step"] == 12);
  CHECK(row["train_loss"] == 4.25);
  CHECK(row["val_loss"].is_null());
  CHECK(row["tags"][0] == "caf\xc3\xa9");
  CHECK(row["submitted"] == "2023-11-14T22:13:20.25+00:00");
  CHECK(row["ended"].is_null());
  CHECK(row.size() == static_cast<size_t>(v1::Run::descriptor()->field_count()));
}

TEST_CASE("no runs are an empty list") {
  CHECK(RunsJson({}) == "{\"runs\":[],\"next_page_token\":\"\"}\n");
}

TEST_CASE("a point becomes a row whose floats read back as the same doubles") {
  v1::SeriesChunk chunk;
  chunk.set_run("abcd1234");
  v1::Point& point = *chunk.add_points();
  point.set_attempt(1);
  point.set_step(3);
  point.set_tokens(3072);
  point.set_flops(1e15);
  point.set_active_seconds(0.1);
  point.set_value(1.0 / 3.0);
  const std::string row = SeriesCsvRows(chunk);
  CHECK(row.rfind("abcd1234,1,3,3072,", 0) == 0);
  CHECK(std::strtod(row.c_str() + row.rfind(',') + 1, nullptr) == 1.0 / 3.0);
  chunk.mutable_points(0)->set_value(std::numeric_limits<double>::quiet_NaN());
  CHECK(SeriesCsvRows(chunk).find(",nan\n") != std::string::npos);
}

}  // namespace
}  // namespace ddl::coordinator
