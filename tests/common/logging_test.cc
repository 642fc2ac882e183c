#include "common/logging.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

namespace ddl {
namespace {

LogRecord Example(const std::string& message) {
  return {absl::FromUnixMillis(1'700'000'000'123),
          LogLevel::kWarning,
          "ddl-worker",
          {{"run", "abc"}, {"attempt", 2}},
          message};
}

TEST_CASE("A text line has time, level, component, fields and message") {
  // date -u -d @1700000000 prints 2023-11-14 22:13:20.
  CHECK(FormatLogLine(LogFormat::kText, Example("lost 3 points")) ==
        "2023-11-14T22:13:20.123Z warning ddl-worker run=abc attempt=2: lost 3 points");
}

TEST_CASE("A JSON line has the same in order") {
  CHECK(FormatLogLine(LogFormat::kJson, Example("a \"b\"\n")) ==
        "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\",\"component\":\"ddl-worker\","
        "\"run\":\"abc\",\"attempt\":\"2\",\"message\":\"a \\\"b\\\"\\n\"}");
}

TEST_CASE("No message can forge a second line or a terminal's colour") {
  const std::string evil = "a\nb\r\x1b[31mc\x7f";
  CHECK_THAT(FormatLogLine(LogFormat::kText, Example(evil)),
             Catch::EndsWith(": a\\nb\\x0d\\x1b[31mc\\x7f"));
  CHECK(nlohmann::json::parse(FormatLogLine(LogFormat::kJson, Example(evil)))["message"] == evil);
}

TEST_CASE("Bytes that are not UTF-8 still give valid JSON") {
  const auto line = nlohmann::json::parse(FormatLogLine(LogFormat::kJson, Example("a\xff"
                                                                                  "b")));
  CHECK(line["message"] ==
        "a\xEF\xBF\xBD"
        "b");
}

TEST_CASE("Formats are text and json") {
  CHECK(*ParseLogFormat("text") == LogFormat::kText);
  CHECK(*ParseLogFormat("json") == LogFormat::kJson);
  CHECK(ParseLogFormat("xml").status().message() == "log format must be text or json, got \"xml\"");
}

// What `body` writes to stderr, in a process of its own.
std::string StderrOf(void (*body)()) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    body();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char chunk[4096];
  for (ssize_t got = 0; (got = read(ends[0], chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  return text;
}

TEST_CASE("DDL_LOG writes one line with its fields to stderr") {
  const std::string text = StderrOf([] {
    InitLogging(LogFormat::kJson, "ddl-test");
    DDL_LOG(Info) << "plain";
    DDL_LOG(Error, {"run", std::string("r1")}, {"attempt", 7})
        << "step " << 12 << " of " << 1.5 << ": " << absl::NotFoundError("no shard");
  });
  std::istringstream lines(text);
  std::string first;
  std::string second;
  std::getline(lines, first);
  std::getline(lines, second);
  CHECK(nlohmann::json::parse(first)["message"] == "plain");
  CHECK(nlohmann::json::parse(first)["component"] == "ddl-test");
  const auto error = nlohmann::json::parse(second);
  CHECK(error["level"] == "error");
  CHECK(error["run"] == "r1");
  CHECK(error["attempt"] == "7");
  CHECK(error["message"] == "step 12 of 1.5: NOT_FOUND: no shard");
}

TEST_CASE("Common fields are on every line that does not give them itself") {
  const std::string text = StderrOf([] {
    InitLogging(LogFormat::kJson, "ddl-test", {{"trace_id", "t0"}, {"run", "r0"}});
    DDL_LOG(Info) << "first";
    DDL_LOG(Info, {"trace_id", "t1"}) << "second";
  });
  std::istringstream lines(text);
  std::string first;
  std::string second;
  std::getline(lines, first);
  std::getline(lines, second);
  CHECK(nlohmann::json::parse(first)["trace_id"] == "t0");
  CHECK(nlohmann::json::parse(first)["run"] == "r0");
  CHECK(nlohmann::json::parse(second)["trace_id"] == "t1");
  CHECK(nlohmann::json::parse(second)["run"] == "r0");
  CHECK(second.find("t0") == std::string::npos);
}

TEST_CASE("Lines of several threads never mix") {
  const std::string text = StderrOf([] {
    InitLogging(LogFormat::kJson, "ddl-test");
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([thread] {
        for (int i = 0; i < 50; ++i) {
          DDL_LOG(Info, {"thread", thread}) << std::string(200, static_cast<char>('a' + thread));
        }
      });
    }
  });
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto record = nlohmann::json::parse(line);
    const char letter = static_cast<char>('a' + std::stoi(record["thread"].get<std::string>()));
    CHECK(record["message"] == std::string(200, letter));
  }
  CHECK(count == 200);
}

}  // namespace
}  // namespace ddl
