#include "common/strict_json.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace ddl {
namespace {

std::string JsonErrorOf(absl::string_view text, int depth = 3) {
  const auto value = ParseStrictJson(text, depth);
  CHECK(value.status().code() == absl::StatusCode::kDataLoss);
  return std::string(value.status().message());
}

TEST_CASE("Plain JSON is parsed") {
  CHECK((*ParseStrictJson(R"({"a": [1, {"b": null}]})", 3))["a"][0] == 1);
  CHECK(*ParseStrictJson("3", 0) == 3);
}

TEST_CASE("A repeated key is an error at any level, and the same key in two objects is not") {
  CHECK(JsonErrorOf(R"({"a": 1, "b": 2, "a": 3})") == "JSON key \"a\" appears twice");
  CHECK(JsonErrorOf(R"([{"x": {"k": 1, "k": 1}}])") == "JSON key \"k\" appears twice");
  CHECK(JsonErrorOf(R"({"\u0061": 1, "a": 3})") == "JSON key \"a\" appears twice");
  CHECK(ParseStrictJson(R"([{"a": 1}, {"a": 1}, {"a": {"a": 1}}])", 3).ok());
}

TEST_CASE("Depth is bounded, and depth alone cannot exhaust memory") {
  CHECK(ParseStrictJson("[[[]]]", 3).ok());
  CHECK(JsonErrorOf("[[[[]]]]") == "JSON is deeper than 3 levels");
  CHECK(JsonErrorOf(R"({"a":{"b":{"c":{}}}})") == "JSON is deeper than 3 levels");
  const std::string opened(1 << 20, '[');
  CHECK_FALSE(ParseStrictJson(opened, 3).ok());
  CHECK(JsonErrorOf(opened + std::string(1 << 20, ']')) == "JSON is deeper than 3 levels");
}

TEST_CASE("What is not JSON is an error that says where") {
  CHECK_THAT(JsonErrorOf("{\"a\": 1,}"),
             Catch::StartsWith("not JSON: parse error at line 1, column 9"));
  for (const char* text :
       {"", "{", "nul", "{\"a\" 1}", "1 2", "\"\xff\"", "1e999", "\"\x01\"", "NaN"}) {
    INFO(text);
    CHECK_THAT(JsonErrorOf(text), Catch::StartsWith("not JSON: "));
  }
}

TEST_CASE("An error shows a piece of what it read, as printable text") {
  const std::string error = JsonErrorOf("{\"" + std::string(1 << 20, 'a') + "\xff\x1b[2J\n");
  INFO(error);
  CHECK(error.size() < 300);
  CHECK(std::all_of(error.begin(), error.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace
}  // namespace ddl
