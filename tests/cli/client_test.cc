#include "cli/client.h"

#include <catch2/catch.hpp>

#include "tests/cli/session.h"

namespace ddl::cli {
namespace {

TEST_CASE("Waiting ends with 124 at the timeout and with 130 at Ctrl-C, and touches no run") {
  Session session;
  REQUIRE(session.Run({"submit", session.spec, "--queue"}).code == 0);
  const Outcome late = session.Run({"wait", "@last", "--timeout", "300ms"});
  CHECK(late.code == 124);
  CHECK(late.out.empty());
  session.ddl.interrupt.Raise();
  CHECK(session.Run({"watch", "@last"}).code == 130);
  InProcess other;
  other.environment = session.ddl.environment;
  CHECK(Json::parse(other.Run({"ls", "-o", "json"}).out)[0]["state"] == "queued");
}

TEST_CASE("A coordinator that does not answer is exit code 6 within the bounded retry") {
  Session session;
  const std::string address = session.cluster.address();
  session.cluster.Stop();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ls"}, {"submit", session.spec}, {"watch"}, {"workers"}}) {
    std::vector<std::string> bounded = words;
    bounded.insert(bounded.end(), {"--timeout", "1s"});
    const absl::Time start = absl::Now();
    const Outcome outcome = session.Run(bounded);
    CHECK(outcome.code == 6);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("no coordinator answers at " + address) != std::string::npos);
    CHECK(absl::Now() - start < absl::Seconds(5));
  }
}

}  // namespace
}  // namespace ddl::cli
