#include "common/yaml_text.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

TEST_CASE("a plain word is written as it is") {
  CHECK(YamlScalar("ddl") == "ddl");
  CHECK(YamlScalar("shards/train-000.bin") == "shards/train-000.bin");
}

TEST_CASE("what a reader would take for something else is quoted") {
  for (const char* text : {"", "true", "no", "null", "~", "12", "1e5", "-x", "a: b", "a b", "#x",
                           "*a", "&a", "[a]", "{a}", "20M"}) {
    INFO(text);
    CHECK(YamlScalar(text) == "\"" + std::string(text) + "\"");
  }
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
  CHECK(YamlScalar("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
  CHECK(YamlScalar("\xC3\xA9t\xC3\xA9 1") == "\"\xC3\xA9t\xC3\xA9 1\"");
}

}  // namespace
}  // namespace ddl
