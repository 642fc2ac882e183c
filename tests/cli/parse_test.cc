#include "cli/parse.h"

#include <catch2/catch.hpp>

#include "tests/cli/in_process.h"

namespace ddl::cli {
namespace {

absl::StatusOr<ExitCode> Nothing(const Arguments&, Io&) { return ExitCode::kOk; }

const std::vector<Verb>& ParsedVerbs() {
  static const auto* const kVerbs = new std::vector<Verb>{
      {.name = "list",
       .positional = "[NAME...]",
       .max_positional = -1,
       .doc = "List",
       .flags = {{"label", 'l', "KEY=VALUE", "Labels", {}, true},
                 {"wide", 'w', "", "Wide"},
                 {"axis", 0, "AXIS", "Axis", {"tokens", "flops"}}},
       .run = Nothing},
      {.name = "one",
       .positional = "NAME",
       .min_positional = 1,
       .max_positional = 1,
       .doc = "One",
       .run = Nothing},
      {.name = "group make", .doc = "Make", .run = Nothing},
      {.name = "group show", .doc = "Show", .run = Nothing},
  };
  return *kVerbs;
}

absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& words, const Io& io = Io()) {
  return ParseCommandLine(ParsedVerbs(), words, io);
}

std::string ErrorOf(const std::vector<std::string>& words) {
  const auto line = Parse(words);
  REQUIRE(absl::IsInvalidArgument(line.status()));
  return std::string(line.status().message());
}

TEST_CASE("Global flags are read before and after the verb") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"-o", "json", "list", "a"},
                                                {"list", "a", "-o", "json"},
                                                {"list", "--output=json", "a"},
                                                {"--output", "json", "list", "a"},
                                                {"list", "-ojson", "a"}}) {
    const auto line = Parse(words);
    REQUIRE(line.ok());
    CHECK(line->arguments.output == Format::kJson);
    CHECK(line->arguments.positional == std::vector<std::string>{"a"});
  }
}

TEST_CASE("A verb's flags keep their values, and a repeated one its order") {
  const auto line = Parse({"list", "-l", "a=1", "x", "--label", "b=2", "-w"});
  REQUIRE(line.ok());
  CHECK(line->arguments.All("label") == std::vector<std::string>{"a=1", "b=2"});
  CHECK(line->arguments.Has("wide"));
  CHECK(line->arguments.positional == std::vector<std::string>{"x"});
}

TEST_CASE("Words behind a double dash are arguments") {
  const auto line = Parse({"list", "--", "--wide", "-l"});
  REQUIRE(line.ok());
  CHECK(line->arguments.positional == std::vector<std::string>{"--wide", "-l"});
}

TEST_CASE("A verb of a group is found by two words") {
  const auto line = Parse({"group", "show"});
  REQUIRE(line.ok());
  CHECK(line->arguments.verb->name == "group show");
  CHECK(ErrorOf({"group"}).find("needs a verb") != std::string::npos);
  CHECK(ErrorOf({"group", "shaw"}).find("did you mean group show") != std::string::npos);
}

TEST_CASE("A misspelt verb, flag or word is answered with the nearest one") {
  CHECK(ErrorOf({"lst"}).find("did you mean list?") != std::string::npos);
  CHECK(ErrorOf({"list", "--wyde"}).find("did you mean --wide?") != std::string::npos);
  CHECK(ErrorOf({"list", "--axis", "token"}).find("did you mean tokens?") != std::string::npos);
  CHECK(ErrorOf({"list", "-o", "jsn"}).find("did you mean json?") != std::string::npos);
}

TEST_CASE("Too few, too many, doubled and valueless arguments are usage errors") {
  CHECK(ErrorOf({"one"}) == "`ddl one` needs NAME");
  CHECK(ErrorOf({"one", "a", "b"}).find("got also \"b\"") != std::string::npos);
  CHECK(ErrorOf({"list", "--axis", "flops", "--axis", "flops"}).find("twice") != std::string::npos);
  CHECK(ErrorOf({"list", "--axis"}).find("needs a value AXIS") != std::string::npos);
  CHECK(ErrorOf({"list", "--wide=1"}).find("takes no value") != std::string::npos);
  CHECK(ErrorOf({"list", "--timeout", "0s"}).find("above zero") != std::string::npos);
  CHECK(ErrorOf({"list", "--timeout", "soon"}).find("1h30m") != std::string::npos);
}

TEST_CASE("Help is asked for by flag or by word, whatever else is missing") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"one", "-h"}, {"help", "one"}, {"-h", "one"}, {"one", "--help"}}) {
    const auto line = Parse(words);
    REQUIRE(line.ok());
    CHECK(line->help);
    CHECK(line->arguments.verb->name == "one");
  }
}

TEST_CASE("The environment gives the format, and flags win over it") {
  Io io;
  io.environment = {{"DDL_OUTPUT", "yaml"}};
  CHECK(Parse({"list"}, io)->arguments.output == Format::kYaml);
  CHECK(Parse({"list", "--addr", "b:2", "-o", "csv"}, io)->arguments.output == Format::kCsv);
  io.environment["DDL_OUTPUT"] = "xml";
  CHECK(absl::IsInvalidArgument(Parse({"list"}, io).status()));
}

TEST_CASE("Colours need a terminal that wants them") {
  Io io;
  CHECK_FALSE(Parse({"list"}, io)->arguments.color);
  io.out_is_tty = true;
  CHECK(Parse({"list"}, io)->arguments.color);
  CHECK_FALSE(Parse({"list", "--no-color"}, io)->arguments.color);
  io.environment = {{"NO_COLOR", "1"}};
  CHECK_FALSE(Parse({"list"}, io)->arguments.color);
  io.environment = {{"TERM", "dumb"}};
  CHECK_FALSE(Parse({"list"}, io)->arguments.color);
}

}  // namespace
}  // namespace ddl::cli
