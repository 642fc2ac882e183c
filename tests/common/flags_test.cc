// The flag grammar of the daemons.
#include "common/flags.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace ddl {
namespace {

struct Sample {
  Flags flags{"ddl-sample", "--state DIR", "A program of this test."};
  std::string state = "nowhere";
  int64_t slots = 1;
  bool bootstrap = false;

  Sample() {
    flags.String("state", "DIR", "Where it lives.", &state);
    flags.Int("slots", "N", "How many.", 1, 64, &slots);
    flags.Bool("bootstrap", "First start.", &bootstrap);
  }
  std::string Error(const std::vector<std::string>& arguments) {
    return std::string(flags.Parse(arguments).message());
  }
};

TEST_CASE("a flag takes its value from the next word or behind an equals sign") {
  Sample sample;
  REQUIRE(sample.flags.Parse({"--state", "/tmp/x", "--slots=7", "--bootstrap"}).ok());
  CHECK(sample.state == "/tmp/x");
  CHECK(sample.slots == 7);
  CHECK(sample.bootstrap);
  CHECK(sample.flags.Given("state"));
}

TEST_CASE("a flag that is not given keeps its default") {
  Sample sample;
  REQUIRE(sample.flags.Parse({}).ok());
  CHECK(sample.state == "nowhere");
  CHECK_FALSE(sample.flags.Given("state"));
}

TEST_CASE("a misspelt flag names the nearest one") {
  CHECK(Sample().Error({"--stat", "x"}) == "unknown flag \"--stat\" (did you mean --state?)");
  CHECK(Sample().Error({"--zzzzzzz"}) == "unknown flag \"--zzzzzzz\"");
}

TEST_CASE("a flag given twice, without its value or with one too many is an error") {
  CHECK(Sample().Error({"--state=a", "--state=b"}) == "--state given twice");
  CHECK(Sample().Error({"--state"}) == "--state needs a value: DIR");
  CHECK(Sample().Error({"--bootstrap=yes"}) == "--bootstrap takes no value");
  CHECK(Sample().Error({"word"}) == "unexpected word \"word\"");
}

TEST_CASE("a number outside its range names the range and the value") {
  for (const char* bad : {"0", "65", "1.5", "many", "", "99999999999999999999"}) {
    INFO(bad);
    CHECK(Sample().Error({"--slots", bad}) ==
          std::string("--slots must be a number from 1 to 64, got \"") + bad + "\"");
  }
}

TEST_CASE("help and version answer with 0, an error with 64 and nothing on standard output") {
  std::ostringstream out;
  std::ostringstream error;
  const char* help[] = {"ddl-sample", "--help"};
  CHECK(Sample().flags.ParseForMain(2, help, out, error) == 0);
  CHECK(out.str().find("--slots N") != std::string::npos);
  const char* version[] = {"ddl-sample", "--version"};
  out.str("");
  CHECK(Sample().flags.ParseForMain(2, version, out, error) == 0);
  CHECK(out.str().rfind("ddl-sample ", 0) == 0);
  out.str("");
  const char* wrong[] = {"ddl-sample", "--slot", "2"};
  CHECK(Sample().flags.ParseForMain(3, wrong, out, error) == kExitUsage);
  CHECK(out.str().empty());
  CHECK(error.str().find("did you mean --slots?") != std::string::npos);
}

}  // namespace
}  // namespace ddl
