#include "common/config_node.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace ddl {
namespace {

Place At(const std::shared_ptr<const std::string>& source, int line, int column) {
  return {source, line, column};
}

TEST_CASE("errors are sorted by place within a source, and sources keep their order") {
  const auto file = std::make_shared<const std::string>("a.yaml");
  const auto other = std::make_shared<const std::string>("override x=1");
  ConfigErrors errors;
  errors.Add(At(file, 9, 2), "model.d_model", "third");
  errors.Add(At(other, 0, 0), "", "fourth");
  errors.Add(At(file, 2, 7), "seed", "second");
  errors.Add(At(file, 2, 3), "", "first");
  CHECK(errors.ToStatus().message() ==
        "a.yaml:2:3: first\na.yaml:2:7: seed: second\na.yaml:9:2: model.d_model: third\n"
        "override x=1: fourth");
}

TEST_CASE("a hundred errors are shown and the rest are counted") {
  const auto file = std::make_shared<const std::string>("a.yaml");
  ConfigErrors errors;
  for (int i = 1; i <= 150; ++i) errors.Add(At(file, i, 1), "", "bad");
  const std::string message(errors.ToStatus().message());
  CHECK(message.find("a.yaml:100:1: bad") != std::string::npos);
  CHECK(message.find("a.yaml:101:1") == std::string::npos);
  CHECK(message.find("and 50 more") != std::string::npos);
}

TEST_CASE("no errors are OK") { CHECK(ConfigErrors().ToStatus().ok()); }

TEST_CASE("what YAML takes for booleans, nulls and numbers is not a text") {
  for (const char* typed : {"true", "False", "null", "~", "no", "12", "1e-5", "-3", ".inf", ""}) {
    INFO(typed);
    CHECK(LooksTyped(typed));
  }
  for (const char* text : {"a", "20M", "truely", "1.2.3", "x1", "0x10"}) {
    INFO(text);
    CHECK(!LooksTyped(text));
  }
}

TEST_CASE("paths are joined by dots") {
  CHECK(JoinPath("", "a") == "a");
  CHECK(JoinPath("a.b", "c") == "a.b.c");
}

}  // namespace
}  // namespace ddl
