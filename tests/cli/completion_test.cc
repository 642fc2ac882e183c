// The scripts are run by the shells that they are for, where those are installed.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/cli/in_process.h"

namespace ddl::cli {
namespace {

std::set<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char buffer[4096];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  REQUIRE(pclose(pipe) == 0);
  return text;
}

class Script {
 public:
  explicit Script(const std::string& shell) {
    char name[] = "/tmp/ddl-completion-XXXXXX";
    const int fd = mkstemp(name);
    REQUIRE(fd >= 0);
    close(fd);
    path_ = name;
    InProcess ddl;
    const Outcome outcome = ddl.Run({"completion", shell});
    REQUIRE(outcome.code == 0);
    std::ofstream(path_) << outcome.out;
  }
  ~Script() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::set<std::string> BashCandidates(const Script& script, const std::string& previous,
                                     const std::string& verb, const std::string& sub) {
  return Words(OutputOf("bash -c '. " + script.path() + "; _ddl_candidates \"" + previous +
                        "\" \"" + verb + "\" \"" + sub + "\"'"));
}

TEST_CASE("bash offers exactly the verbs of the table and the global flags at first") {
  const Script script("bash");
  std::set<std::string> expected = {"help"};
  for (const Verb& verb : Verbs()) expected.insert(verb.name.substr(0, verb.name.find(' ')));
  for (const Flag& flag : GlobalFlags()) {
    expected.insert("--" + flag.name);
    if (flag.short_name != 0) expected.insert(std::string("-") + flag.short_name);
  }
  CHECK(BashCandidates(script, "ddl", "", "") == expected);
}

TEST_CASE("bash offers each verb's flags, and the values of flags that have few") {
  const Script script("bash");
  for (const Verb& verb : Verbs()) {
    const size_t space = verb.name.find(' ');
    const std::string first = verb.name.substr(0, space);
    const std::string second = space == std::string::npos ? "" : verb.name.substr(space + 1);
    const std::set<std::string> words = BashCandidates(script, "x", first, second);
    for (const Flag& flag : verb.flags) CHECK(words.count("--" + flag.name) == 1);
    CHECK(words.count("--output") == 1);
  }
  CHECK(BashCandidates(script, "-o", "ls", "") ==
        std::set<std::string>{"table", "wide", "json", "jsonl", "yaml", "csv", "name"});
}

TEST_CASE("The zsh and fish scripts name every verb and flag") {
  InProcess ddl;
  for (const char* shell : {"zsh", "fish"}) {
    const std::string text = ddl.Run({"completion", shell}).out;
    for (const Verb& verb : Verbs()) {
      CHECK(text.find(verb.name.substr(0, verb.name.find(' '))) != std::string::npos);
      for (const Flag& flag : verb.flags) CHECK(text.find(flag.name) != std::string::npos);
    }
  }
  CHECK(ddl.Run({"completion", "csh"}).code == 2);
}

}  // namespace
}  // namespace ddl::cli
