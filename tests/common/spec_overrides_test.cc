#include "common/spec_overrides.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/spec_yaml.h"
#include "common/yaml.h"

namespace ddl {
namespace {

struct Applied {
  ConfigNode root;
  std::string errors;
};

Applied Apply(const std::string& yaml, const std::vector<std::string>& overrides) {
  Applied applied;
  ConfigErrors errors;
  applied.root = ParseYaml(yaml, "f", &errors);
  for (const Override& change : ParseOverrides(overrides, &errors)) {
    ApplyOverride(change, absl::StrSplit(change.path, '.'), &applied.root, &errors);
  }
  applied.errors = std::string(errors.ToStatus().message());
  return applied;
}

TEST_CASE("an override sets a key, and the last one wins") {
  const Applied applied = Apply("a: {b: 1}\n", {"a.b=2", "a.c=x y", "d.e=", "a.b=3"});
  CHECK(applied.errors.empty());
  CHECK(applied.root.Find("a")->Find("b")->text == "3");
  CHECK(PlaceText(applied.root.Find("a")->Find("b")->place) == "override a.b=3");
  CHECK(applied.root.Find("a")->Find("c")->text == "x y");
  CHECK(applied.root.Find("d")->Find("e")->text.empty());
  CHECK(applied.root.Find("d")->Find("e")->style == ConfigNode::Style::kUntyped);
}

TEST_CASE("a value in brackets, braces or quotes is YAML, and a mapping is merged") {
  const Applied applied =
      Apply("a: {b: 1, c: 2}\n", {"a={c: 3, d: 4}", "t=[x, \"y, z\"]", "q='1'"});
  CHECK(applied.errors.empty());
  CHECK(applied.root.Find("a")->Find("b")->text == "1");
  CHECK(applied.root.Find("a")->Find("c")->text == "3");
  CHECK(applied.root.Find("a")->Find("d")->text == "4");
  CHECK(applied.root.Find("t")->items[1].text == "y, z");
  CHECK(applied.root.Find("q")->text == "1");
}

TEST_CASE("a plus adds what is not there, a tilde takes out what is") {
  const Applied applied = Apply("a: {b: 1}\n", {"+a.c=2", "~a.b"});
  CHECK(applied.errors.empty());
  CHECK(applied.root.Find("a")->Find("b") == nullptr);
  CHECK(applied.root.Find("a")->Find("c")->text == "2");
  CHECK(Apply("a: {b: 1}\n", {"+a.b=2"}).errors ==
        "override +a.b=2: a.b is written already at f:1:8; leave out the +");
  CHECK(Apply("a: {b: 1}\n", {"~a.c"}).errors ==
        "override ~a.c: a.c is not written, so that ~ has nothing to take out");
  CHECK(Apply("a: {b: 1}\n", {"~x.y"}).errors ==
        "override ~x.y: x.y is not written, so that ~ has nothing to take out");
}

TEST_CASE("what is no override is refused with the rule") {
  for (const char* text : {"a", "~a=1", "=1", "a..b=1", "", "+a", ".=1"}) {
    INFO(text);
    CHECK(!Apply("a: 1\n", {text}).errors.empty());
  }
  CHECK(Apply("a: 1\n", {"a.b=2"}).errors == "override a.b=2: a is not a mapping, but 1");
  CHECK(!Apply("a: 1\n", {"b=[1"}).errors.empty());
  CHECK(!Apply("a: 1\n", {"b={x: &y 1}"}).errors.empty());
  CHECK(!Apply("a: 1\n", {"b=" + std::string(20000, 'x')}).errors.empty());
}

TEST_CASE("alternatives make every combination, the last key fastest") {
  using Combinations = std::vector<std::vector<std::string>>;
  CHECK(SplitOverrides({}).value() == Combinations{{}});
  CHECK(SplitOverrides({"seed=1,2", "~a", "b=x,y"}).value() ==
        Combinations{{"seed=1", "~a", "b=x"},
                     {"seed=1", "~a", "b=y"},
                     {"seed=2", "~a", "b=x"},
                     {"seed=2", "~a", "b=y"}});
}

TEST_CASE("commas inside brackets and quotes separate nothing") {
  CHECK(SplitOverrides({"tags=[a,b]", "t=\"a,b\""}).value().size() == 1);
  CHECK(SplitOverrides({"tags=[a,b],[c]"}).value()[1][0] == "tags=[c]");
  CHECK(SplitOverrides({"r={kind: ddl, value_channels: 4},{kind: additive}"}).value().size() == 2);
}

TEST_CASE("more than ten thousand combinations are refused") {
  const std::string ten = "=1,2,3,4,5,6,7,8,9,10";
  const std::vector<std::string> four = {"a" + ten, "b" + ten, "c" + ten, "d" + ten};
  CHECK(SplitOverrides(four).value().size() == 10000);
  std::vector<std::string> more = four;
  more.push_back("e=1,2");
  CHECK(absl::IsResourceExhausted(SplitOverrides(more).status()));
}

}  // namespace
}  // namespace ddl
