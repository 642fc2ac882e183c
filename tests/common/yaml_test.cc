#include "common/yaml.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/places.h"

namespace ddl {
namespace {

std::string Refusal(const std::string& text) {
  ConfigErrors errors;
  ParseYaml(text, "f", &errors);
  return std::string(errors.ToStatus().message());
}

std::string Repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("maps, lists and scalars keep their order and their places") {
  ConfigErrors errors;
  const ConfigNode root = ParseYaml("a: 1\nb:\n  - x\n  - \"7\"\nc: {d: ~}\n", "f", &errors);
  REQUIRE(errors.empty());
  REQUIRE(root.entries.size() == 3);
  CHECK(root.entries[1].key == "b");
  CHECK(PlaceText(root.entries[1].place) == "f:2:1");
  const ConfigNode& list = root.entries[1].value;
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].text == "x");
  CHECK(list.items[0].style == ConfigNode::Style::kPlain);
  CHECK(list.items[1].style == ConfigNode::Style::kQuoted);
  CHECK(PlaceText(list.items[1].place) == "f:4:5");
  CHECK(root.Find("c")->Find("d")->kind == ConfigNode::Kind::kNull);
  CHECK(root.Find("nothing") == nullptr);
}

TEST_CASE("a key that appears twice is an error that names both places") {
  CHECK(Refusal("a: 1\nb: 2\na: 3\n") == "f:3:1: key \"a\" appears twice (first at 1:1)");
  CHECK(Refusal("x: {a: 1, a: 2}\n") == "f:1:11: key \"a\" appears twice (first at 1:5)");
  CHECK(Refusal("x: {a: 1}\ny: {a: 2}\n").empty());
}

TEST_CASE("anchors, aliases, tags and merge keys are errors") {
  CHECK(Refusal("a: &x 1\n") == "f:1:4: anchors (&) are not allowed");
  CHECK(Refusal("a: &x 1\nb: *x\n") ==
        "f:1:4: anchors (&) are not allowed\nf:2:4: aliases (*) are not allowed");
  CHECK(Refusal("a: !!str 1\n") == "f:1:4: tags (!) are not allowed");
  CHECK(Refusal("a: !x {b: 1}\n") == "f:1:4: tags (!) are not allowed");
  CHECK(Refusal("a: ! 1\n") == "f:1:4: tags (!) are not allowed");
  CHECK(Refusal("a: !<tag:yaml.org,2002:int> 1\n") == "f:1:4: tags (!) are not allowed");
  CHECK(Refusal("<<: {a: 1}\n") == "f:1:1: merge keys (<<) are not allowed");
}

TEST_CASE("a file holds one document") {
  CHECK(Refusal("---\na: 1\n").empty());
  CHECK(Refusal("a: 1\n---\nb: 1\n") == "f:2:1: a second document begins; one file holds one");
}

TEST_CASE("what is not YAML is an error at its place") {
  CHECK(absl::StartsWith(Refusal("a: [1\n"), "f:"));
  CHECK(absl::StrContains(Refusal("a: b: c\n"), "is not YAML: "));
  CHECK(Refusal("a: \"x\n") == "f:1:4: the quote is not closed");
  CHECK(Refusal("a: 'it''s\n") == "f:1:4: the quote is not closed");
  CHECK(Refusal("a: \"x\\\"\n") == "f:1:4: the quote is not closed");
  CHECK(Refusal("a: 'it''s'\nb: \"\\\"\"\n").empty());
  CHECK(absl::StrContains(Refusal("\ta: 1\n"), "is not YAML: "));
  CHECK(absl::StrContains(Refusal("? [a]\n: 1\n"), "a key must be a text, got a list"));
}

TEST_CASE("bytes that no text has are errors") {
  CHECK(Refusal(std::string("a: b\0c\n", 7)) == "f:1:5: control character 0 is not allowed");
  CHECK(Refusal("a: b\x1B[2J\n") == "f:1:5: control character 27 is not allowed");
  CHECK(Refusal("a: 1\nb: \xC3\x28\n") == "f:2:4: is not valid UTF-8");
  CHECK(Refusal("\xEF\xBB\xBF"
                "a: 1\n")
            .empty());  // A byte order mark.
}

TEST_CASE("a limit holds to its last unit and not one further") {
  CHECK(Refusal(Repeat("[", 16) + Repeat("]", 16)).empty());
  CHECK(Refusal(Repeat("[", 17) + Repeat("]", 17)) == "f:1:17: nested deeper than 16");
  CHECK(Refusal("a: " + std::string(8192, 'x')).empty());
  CHECK(Refusal("a: " + std::string(8193, 'x')) ==
        "f:1:4: a scalar must be at most 8192 bytes, got 8193");
  CHECK(Refusal(Repeat("- 1\n", 9999)).empty());  // With the list, 10,000 nodes.
  CHECK(absl::StrContains(Refusal(Repeat("- 1\n", 10000)), "more than 10000 keys and values"));
  CHECK(Refusal(Repeat("# comment\n", 25000)).empty());
  CHECK(Refusal(std::string((256 << 10) + 1, '#')) ==
        "f: must be at most 256 KiB, got 262145 bytes");
}

TEST_CASE("a file that is too large or not there is refused without being read") {
  ConfigErrors errors;
  CHECK(absl::IsNotFound(ReadYaml("/no/such/file.yaml", &errors).status()));
  const std::string path = BuildPath(absl::StrCat("yaml_test.", getpid(), ".yaml"));
  REQUIRE(WriteFileAtomically(path, std::string((256 << 10) + 1, '\n')).ok());
  REQUIRE(ReadYaml(path, &errors).ok());
  CHECK(errors.ToStatus().message() == path + ": must be at most 256 KiB");
  unlink(path.c_str());
}

// What parsing `text` in a process of its own costs above a process that does nothing.
struct Cost {
  double cpu_seconds = 0;
  int64_t bytes = 0;
  bool refused = false;
};

Cost CostOf(const std::string& text, bool parse) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ConfigErrors errors;
    if (parse) ParseYaml(text, "f", &errors);
    _exit(errors.empty() ? 0 : 1);
  }
  int status = 0;
  struct rusage usage {};
  REQUIRE(wait4(child, &status, 0, &usage) == child);
  REQUIRE(WIFEXITED(status));
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), int64_t{usage.ru_maxrss} << 10,
          WEXITSTATUS(status) == 1};
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kSlower = 10;  // Shadow memory and checks.
#else
constexpr double kSlower = 1;
#endif

TEST_CASE("hostile texts are refused within 50 ms and 16 MiB") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    absl::StrAppend(&bomb, std::string(1, c), ": &", std::string(1, c), " [",
                    Repeat("*" + before + ",", 8), "*", before, "]\n");
  }
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"alias bomb", bomb},
      {"brackets on one line", std::string(100000, '[')},
      {"brackets that fit", Repeat(std::string(13000, '[') + "\n", 3)},
      {"brackets on lines", Repeat("[\n", 39000)},
      {"braces", Repeat("{", 16000)},
      {"nested keys", Repeat("? ", 8000)},
      {"nested lists", Repeat("- ", 8000)},
      {"empty keys", "{" + Repeat(": ", 8000)},
      {"adjacent quotes", "a: [" + Repeat(Repeat("\"\"", 7000) + "\n", 2)},
      {"unending quote", "a: '" + Repeat("x\n", 100000)},
      {"a number of a million digits", "seed: " + std::string(1000000, '9')},
      {"a number of many lines", "seed: " + Repeat(std::string(9999, '1') + "\n", 20)},
      {"documents", Repeat("---\n", 60000)},
      {"many entries", Repeat("- a\n", 60000)},
      {"anchors", "a: " + Repeat("&a ", 5000)},
      {"deep indentation",
       [] {
         std::string text;
         for (int i = 0; i < 600; ++i) text += std::string(static_cast<size_t>(i), ' ') + "a:\n";
         return text;
       }()},
      {"NUL", std::string(200000, '\0')},
  };
  const Cost nothing = CostOf("", false);
  for (const auto& [name, text] : hostile) {
    const Cost cost = CostOf(text, true);
    INFO(name);
    CHECK(cost.refused);
    CHECK(cost.cpu_seconds - nothing.cpu_seconds <= 0.05 * kSlower);
    CHECK(static_cast<double>(cost.bytes - nothing.bytes) <= (16 << 20) * kSlower);
  }
}

}  // namespace
}  // namespace ddl
