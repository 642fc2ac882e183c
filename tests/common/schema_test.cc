#include "common/schema.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "common/files.h"
#include "tests/places.h"

namespace ddl {
namespace {

// With DDL_UPDATE_SCHEMA in the environment the committed file is written first.
void CheckCommitted(const std::string& name, const std::string& made) {
  const std::string path = SourcePath("configs/schema/" + name);
  if (std::getenv("DDL_UPDATE_SCHEMA") != nullptr) REQUIRE(WriteFileAtomically(path, made).ok());
  const auto committed = ReadFile(path);
  REQUIRE(committed.ok());
  INFO("to write it anew: DDL_UPDATE_SCHEMA=1 " << path);
  CHECK(*committed == made);
}

TEST_CASE("the committed experiment schema is the one that the descriptors make") {
  CheckCommitted("experiment.v1.json", ExperimentSchema());
}

TEST_CASE("the committed model schema is the one that the descriptors make") {
  CheckCommitted("model.v1.json", ModelSchema());
}

TEST_CASE("the committed sweep schema is the one that the descriptors make") {
  CheckCommitted("sweep.v1.json", SweepSchema());
}

TEST_CASE("a key's schema has its range, its default and its sentence") {
  const auto schema = nlohmann::json::parse(ExperimentSchema());
  const auto& model = schema["properties"]["model"];
  CHECK(model["additionalProperties"] == false);
  const auto& d_model = model["properties"]["d_model"];
  CHECK(d_model["type"] == "integer");
  CHECK(d_model["minimum"] == 8);
  CHECK(d_model["maximum"] == 16384);
  CHECK(d_model["default"] == 768);
  CHECK(d_model["description"] == "Model width d.");
  const auto& residual = model["properties"]["residual"]["properties"]["kind"];
  CHECK(residual["enum"] == nlohmann::json({"additive", "ddl", "write_only", "seed_deepdeltares",
                                            "seed_write_only", "hyper_connections"}));
}

TEST_CASE("a token count is a number or a text with a suffix") {
  const auto schema = nlohmann::json::parse(ExperimentSchema());
  const auto& tokens = schema["properties"]["train"]["properties"]["tokens"];
  CHECK(tokens["default"] == 20'000'000);
  CHECK(tokens["anyOf"][0]["type"] == "integer");
  CHECK(tokens["anyOf"][1]["type"] == "string");
}

TEST_CASE("an experiment has no required key, since data is a folder or synthetic") {
  const auto experiment = nlohmann::json::parse(ExperimentSchema());
  CHECK(!experiment.contains("required"));
  const auto& data = experiment["properties"]["data"]["properties"];
  CHECK(data["synthetic"]["properties"]["task"]["default"] == "none");
  const auto sweep = nlohmann::json::parse(SweepSchema());
  CHECK(!sweep["properties"]["base"]["anyOf"][1].contains("required"));
}

TEST_CASE("a sweep may search every key of a spec, and mappings of them") {
  const auto sweep = nlohmann::json::parse(SweepSchema());
  const auto& paths = sweep["properties"]["parameters"]["properties"];
  CHECK(paths.contains("optim.adamw.lr"));
  CHECK(paths.contains("model.residual"));
  CHECK(!paths.contains("name"));
}

}  // namespace
}  // namespace ddl
