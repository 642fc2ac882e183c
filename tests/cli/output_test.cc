#include "cli/output.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "cli/run_text.h"
#include "cli/terminal_text.h"
#include "proto/ddl/v1/experiments.pb.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::cli {
namespace {

struct Printed {
  absl::Status status;
  std::string out;
  std::string err;
};

Printed Print(const std::vector<v1::Run>& runs, Format format, const std::string& columns = "") {
  std::ostringstream out;
  std::ostringstream err;
  Io io;
  io.out = &out;
  io.err = &err;
  io.zone = absl::FixedTimeZone(3600);
  Arguments arguments;
  arguments.output = format;
  if (!columns.empty()) arguments.flags.emplace("columns", columns);
  const absl::Status status = PrintList(RunListing(runs, io.zone), arguments, io);
  return {status, out.str(), err.str()};
}

v1::Run SomeRun() {
  v1::Run run;
  run.set_id("k3v9x2mq");
  run.set_name("tiny-0");
  run.set_state("running");
  run.set_seed(9007199254740993);  // No double holds it.
  run.set_residual("ddl/4");
  run.set_attempts(2);
  run.set_step(10);
  run.set_tokens(1234567890123456789);
  run.set_train_loss(std::nan(""));
  run.set_val_loss(0.1);
  run.mutable_submitted()->set_seconds(1700000000);
  return run;
}

TEST_CASE("A run as JSON has the keys that scripts rely on, under the proto's names") {
  const Json list = Json::parse(Print({SomeRun()}, Format::kJson).out);
  REQUIRE(list.size() == 1);
  for (const char* key :
       {"id", "name", "state", "seed", "residual", "attempts", "step", "tokens"}) {
    CHECK(list[0].contains(key));
  }
  CHECK(list[0]["id"] == "k3v9x2mq");
  CHECK(list[0]["tags"] == Json::array());
  CHECK(list[0]["priority"] == 0);  // Defaults are printed.
}

TEST_CASE("64-bit integers are numbers, NaN is null, and times are RFC 3339 in UTC") {
  const std::string text = Print({SomeRun()}, Format::kJson).out;
  CHECK(text.find("\"seed\": 9007199254740993,") != std::string::npos);
  CHECK(text.find("\"tokens\": 1234567890123456789,") != std::string::npos);
  const Json list = Json::parse(text);
  CHECK(list[0]["train_loss"].is_null());
  CHECK(list[0]["submitted"] == "2023-11-14T22:13:20Z");
  CHECK(list[0]["ended"].is_null());
}

TEST_CASE("An empty list is [] as JSON and YAML, a header as CSV, and no text otherwise") {
  CHECK(Json::parse(Print({}, Format::kJson).out) == Json::array());
  CHECK(Print({}, Format::kYaml).out == "[]\n");
  CHECK(Print({}, Format::kJsonLines).out.empty());
  CHECK(Print({}, Format::kName).out.empty());
  CHECK(Print({}, Format::kCsv).out.rfind("id,name,state,", 0) == 0);
  const Printed table = Print({}, Format::kTable);
  CHECK(table.out.empty());
  CHECK(table.err == "no runs\n");
}

TEST_CASE("Doubles read back to the same bits from JSON, YAML and CSV") {
  const uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    v1::Point point;
    point.set_value(value);
    const Json tree = FieldsOf(point);
    CHECK(Json::parse(JsonLine(tree))["value"].get<double>() == value);
    CHECK(std::strtod(CellText(tree["value"]).c_str(), nullptr) == value);
    const std::string yaml = YamlText(tree);
    const std::string line = yaml.substr(yaml.find("\"value\": ") + 9);
    CHECK(std::strtod(line.c_str(), nullptr) == value);
    if (line.find('e') != std::string::npos) CHECK(line.find('.') < line.find('e'));
  }
}

TEST_CASE("A table escapes what a terminal would obey, and stays aligned") {
  v1::Run run = SomeRun();
  run.set_name("a\x1b[2Jb\nc\xe2\x80\xaegnp\xff");
  v1::Run other = SomeRun();
  other.set_name("größe");
  const std::string text = Print({run, other}, Format::kTable, "name,state").out;
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("a\\x1b[2Jb\\nc\\u202egnp\\xff") != std::string::npos);
  std::istringstream lines(text);
  std::string line;
  std::vector<int> columns;
  while (std::getline(lines, line)) {
    const size_t at = std::max(line.rfind("STATE") + 1, line.rfind("running") + 1);
    REQUIRE(at > 0);
    columns.push_back(DisplayWidth(line.substr(0, at - 1)));
  }
  CHECK(columns == std::vector<int>(3, columns[0]));
}

TEST_CASE("CSV quotes commas, quotes and newlines as RFC 4180 says") {
  CHECK(CsvRow({"a", "b,c", "d\"e", "f\ng", ""}) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
}

TEST_CASE("The flag --columns picks fields in its order, and refuses one that is none") {
  CHECK(Print({SomeRun()}, Format::kCsv, "state,id").out == "state,id\nrunning,k3v9x2mq\n");
  const Printed wrong = Print({SomeRun()}, Format::kTable, "stat");
  CHECK(absl::IsInvalidArgument(wrong.status));
  CHECK(std::string(wrong.status.message()).find("did you mean state") != std::string::npos);
}

TEST_CASE("Enums are words, maps are sorted, and values of sweeps are plain") {
  v1::Experiment experiment;
  (*experiment.mutable_trials_by_state())["running"] = 2;
  (*experiment.mutable_trials_by_state())["failed"] = 1;
  v1::SweepParameter& parameter = *experiment.mutable_sweep()->add_parameters();
  parameter.set_path("model.residual");
  auto& fields = *parameter.add_values()->mutable_struct_value()->mutable_fields();
  fields["kind"].set_string_value("ddl");
  fields["value_channels"].set_number_value(4);
  const Json tree = FieldsOf(experiment);
  CHECK(tree["trials_by_state"].dump() == R"({"failed":1,"running":2})");
  CHECK(tree["sweep"]["parameters"][0]["values"][0]["kind"] == "ddl");
  CHECK(tree["sweep"]["parameters"][0]["values"][0]["value_channels"] == 4.0);
  v1::RankExited exited;
  exited.set_class_(v1::EXIT_CLASS_OUT_OF_MEMORY);
  CHECK(FieldsOf(exited)["class"] == "out_of_memory");
}

TEST_CASE("Bytes that are not UTF-8 never end a print") {
  v1::Run run = SomeRun();
  run.set_name("\xff\xfe");
  CHECK(Json::parse(Print({run}, Format::kJson).out)[0]["name"] == "\uFFFD\uFFFD");
}

TEST_CASE("Counts and times are short and keep three digits") {
  CHECK(CountText(950) == "950");
  CHECK(CountText(1000) == "1.00k");
  CHECK(CountText(12'400'000) == "12.4M");
  CHECK(CountText(999'999) == "1.00M");
  CHECK(CountText(1.5e15) == "1.50P");
  CHECK(CountText(std::nan("")) == "-");
  CHECK(SecondsText(4.25) == "4.2s");
  CHECK(SecondsText(185) == "3m05s");
  CHECK(SecondsText(7800) == "2h10m");
  CHECK(BytesText(1536) == "1.5 KiB");
}

}  // namespace
}  // namespace ddl::cli
