#include "cli/dispatch.h"

#include <catch2/catch.hpp>

#include "tests/cli/in_process.h"

namespace ddl::cli {
namespace {

absl::StatusOr<ExitCode> Fails(const Arguments& arguments, Io& io) {
  *io.out << "half a result\n";
  const int code = std::stoi(arguments.positional[0]);
  return absl::Status(static_cast<absl::StatusCode>(code), "it is broken\x1b[31m");
}
absl::StatusOr<ExitCode> Judges(const Arguments&, Io& io) {
  *io.out << "a result\n";
  return ExitCode::kFindings;
}

std::vector<Verb> TestVerbs() {
  return {{.name = "fail",
           .positional = "CODE",
           .min_positional = 1,
           .max_positional = 1,
           .doc = "Fail",
           .run = Fails},
          {.name = "judge", .doc = "Judge", .run = Judges}};
}

// The contract of the command line, by status code.
TEST_CASE("A verb's error decides the exit code and leaves nothing on stdout") {
  using absl::StatusCode;
  const std::vector<std::pair<StatusCode, int>> contract = {{StatusCode::kUnknown, 1},
                                                            {StatusCode::kInternal, 1},
                                                            {StatusCode::kDataLoss, 1},
                                                            {StatusCode::kResourceExhausted, 1},
                                                            {StatusCode::kInvalidArgument, 2},
                                                            {StatusCode::kNotFound, 3},
                                                            {StatusCode::kUnauthenticated, 4},
                                                            {StatusCode::kPermissionDenied, 4},
                                                            {StatusCode::kFailedPrecondition, 5},
                                                            {StatusCode::kAlreadyExists, 5},
                                                            {StatusCode::kAborted, 5},
                                                            {StatusCode::kUnavailable, 6},
                                                            {StatusCode::kDeadlineExceeded, 124},
                                                            {StatusCode::kCancelled, 130}};
  for (const auto& [code, exit_code] : contract) {
    InProcess ddl;
    const Outcome outcome = ddl.Run({"fail", std::to_string(static_cast<int>(code))}, TestVerbs());
    CHECK(outcome.code == exit_code);
    CHECK(outcome.out.empty());
    CHECK(outcome.err == "ddl: it is broken\\x1b[31m\n");
  }
}

TEST_CASE("A verdict keeps its data on stdout") {
  InProcess ddl;
  const Outcome outcome = ddl.Run({"judge"}, TestVerbs());
  CHECK(outcome.code == 8);
  CHECK(outcome.out == "a result\n");
}

TEST_CASE("Without a verb help goes to stderr, and when asked for to stdout") {
  InProcess ddl;
  CHECK(ddl.Run({}).code == 2);
  CHECK(ddl.Run({}).out.empty());
  CHECK(ddl.Run({"help"}).code == 0);
  CHECK(ddl.Run({"help"}).err.empty());
}

TEST_CASE("Help names every verb and every flag of the table") {
  InProcess ddl;
  const std::string all = ddl.Run({"help"}).out;
  for (const Verb& verb : Verbs()) {
    CHECK(all.find("  " + verb.name) != std::string::npos);
    std::vector<std::string> words = {"help"};
    const size_t space = verb.name.find(' ');
    words.push_back(verb.name.substr(0, space));
    if (space != std::string::npos) words.push_back(verb.name.substr(space + 1));
    const Outcome help = ddl.Run(words);
    CHECK(help.code == 0);
    for (const Flag& flag : verb.flags) {
      CHECK(help.out.find("--" + flag.name) != std::string::npos);
    }
  }
}

TEST_CASE("No verb takes a global flag's name or letter for its own") {
  for (const Verb& verb : Verbs()) {
    for (const Flag& flag : verb.flags) {
      for (const Flag& global : GlobalFlags()) {
        INFO(verb.name << " --" << flag.name);
        CHECK(flag.name != global.name);
        CHECK((flag.short_name == 0 || flag.short_name != global.short_name));
      }
    }
  }
}

}  // namespace
}  // namespace ddl::cli
