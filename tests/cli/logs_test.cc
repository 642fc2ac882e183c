// `ddl logs` and @best against a coordinator process, with a worker that the test plays.
#include <catch2/catch.hpp>
#include <thread>

#include "absl/strings/str_split.h"
#include "tests/cli/session.h"

namespace ddl::cli {
namespace {

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A run that has trained three steps and written `log`.
struct Logged : Session {
  explicit Logged(const std::string& log) {
    cluster.AddWorker(1);
    const Outcome submitted = Run({"submit", spec, "-o", "name"});
    REQUIRE(submitted.code == 0);
    id = submitted.out.substr(0, submitted.out.size() - 1);
    cluster.Beat();
    cluster.WriteLog(id, log, /*end=*/true);
    cluster.TrainAll(3, LossOf);
  }
  std::string id;
};

TEST_CASE("The log of a rank is shown among what happened to its run, and can be cut down") {
  const std::string now =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  Logged session("2020-01-01T00:00:00.000Z info    ddl-rank: long ago\n" + now +
                 " warning ddl-rank: step 2 is slow\n" + now + " info    ddl-rank: done\n");
  const Outcome all = session.Run({"logs", session.id});
  REQUIRE(all.code == 0);
  CHECK(all.out.find("ddl-rank: long ago\n") < all.out.find("placed on w1"));
  CHECK(all.out.find("ddl-rank: step 2 is slow\n") != std::string::npos);
  CHECK(all.out.find("attempt 1 (epoch 1) exited") != std::string::npos);
  CHECK(session.Run({"logs", "@last", "--grep", "step [0-9]+ is"}).out ==
        now + " warning ddl-rank: step 2 is slow\n");
  CHECK(session.Run({"logs", session.id, "--since", "1h"}).out.find("long ago") ==
        std::string::npos);
  CHECK(Lines(session.Run({"logs", session.id, "--tail", "2"}).out) == 2);
  CHECK(session.Run({"logs", session.id, "--tail", "0"}).out.empty());
  CHECK(session.Run({"logs", session.id, "--rank", "0", "--grep", "done"}).out.find("done") !=
        std::string::npos);
  const Json rows = session.RunJson({"logs", session.id, "--grep", "slow"});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["rank"] == 0);
  CHECK(rows[0]["attempt"] == 1);
  CHECK(rows[0]["severity"] == "warning");
  CHECK(session.RunJson({"logs", session.id, "--grep", "no such line"}) == Json::array());
}

TEST_CASE("Bad flags of logs are usage errors with the rule") {
  Logged session("x\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--grep", "a(b"},
                                                {"--tail", "-1"},
                                                {"--tail", "x"},
                                                {"--rank", "1"},
                                                {"--rank", "first"},
                                                {"--since", "soon"},
                                                {"-f", "-o", "json"}}) {
    INFO(words[0] << " " << words[1]);
    std::vector<std::string> line = {"logs", session.id};
    line.insert(line.end(), words.begin(), words.end());
    const Outcome outcome = session.Run(line);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("Following prints what is added and ends with the run") {
  Session session;
  session.cluster.AddWorker(1);
  REQUIRE(session.Run({"submit", session.spec}).code == 0);
  const std::string id = session.RunJson({"ls"})[0]["id"];
  session.cluster.Beat();
  session.cluster.WriteLog(id, "first\n", false);
  Outcome outcome;
  std::thread follower([&] {
    InProcess ddl;
    ddl.environment = session.ddl.environment;
    outcome = ddl.Run({"logs", id, "-f"});
  });
  session.cluster.WriteLog(id, "second\nthird", true);
  session.cluster.TrainAll(2, LossOf);
  follower.join();
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("first\n") != std::string::npos);
  CHECK(outcome.out.find("second\nthird\n") != std::string::npos);
  CHECK(outcome.out.find("attempt 1 (epoch 1) exited") != std::string::npos);
}

TEST_CASE("@best is the run of the lowest validation loss, within labels and sweep") {
  Session session;
  CHECK(session.Run({"describe", "@best"}).code == 3);
  session.cluster.AddWorker(1);
  REQUIRE(session.Run({"submit", session.spec, "seed=3,1,2"}).code == 0);
  CHECK(session.Run({"describe", "@best"}).code == 3);  // None has a loss yet.
  session.cluster.TrainAll(3, LossOf);                  // Rises with the seed.
  CHECK(session.RunJson({"describe", "@best"})["run"]["seed"] == 1);
  CHECK(session.RunJson({"ls", "@best"})[0]["seed"] == 1);
  CHECK(session.RunJson({"ls", "@best", "-l", "seed!=1"})[0]["seed"] == 2);
  CHECK(session.Run({"logs", "@best"}).code == 0);
  CHECK(session.Run({"wait", "@best"}).code == 0);
  CHECK(session.Run({"metrics", "@best", "val_loss", "-o", "csv"}).out.find("run,attempt") == 0);
}

}  // namespace
}  // namespace ddl::cli
