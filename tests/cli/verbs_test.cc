// Every verb against a real coordinator: streams, exit codes and the contracts of scripts.
#include "cli/verbs.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/cli/session.h"

namespace ddl::cli {
namespace {

TEST_CASE("On an empty cluster every list is [] and every verb that needs a run says not found") {
  Session session;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ls"}, {"workers"}, {"queue"}, {"sweep", "ls"}}) {
    CHECK(session.RunJson(words) == Json::array());
    const Outcome table = session.Run(words);
    CHECK(table.code == 0);
    CHECK(table.out.empty());
    CHECK_FALSE(table.err.empty());
  }
  for (const std::vector<std::string>& words : {std::vector<std::string>{"describe", "zzzz"},
                                                {"logs", "zzzz"},
                                                {"metrics", "zzzz"},
                                                {"config", "zzzz"},
                                                {"cancel", "zzzz"},
                                                {"pause", "zzzz"},
                                                {"resume", "zzzz"},
                                                {"wait", "zzzz"},
                                                {"watch", "zzzz"},
                                                {"compare", "zzzz"},
                                                {"report", "zzzz"},
                                                {"sweep", "status", "zzzz"},
                                                {"queue", "--why", "zzzz"},
                                                {"describe", "@last"}}) {
    INFO(words[0]);
    const Outcome outcome = session.Run(words);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.rfind("ddl: ", 0) == 0);
  }
}

TEST_CASE("Verbs that never mean all runs want to be told which") {
  Session session;
  for (const char* verb : {"cancel", "pause", "resume", "wait", "compare", "report"}) {
    INFO(verb);
    CHECK(session.Run({verb}).code == 2);
  }
}

TEST_CASE("A submitted run is listed with the contract's keys, and ids go alone with -o name") {
  Session session;
  const Outcome submitted = session.Run({"submit", session.spec, "--queue", "-o", "name"});
  REQUIRE(submitted.code == 0);
  const std::string id = submitted.out.substr(0, submitted.out.size() - 1);
  CHECK(id.size() == 8);
  CHECK(submitted.err.find("next: ddl watch " + id) != std::string::npos);
  const Json list = session.RunJson({"ls"});
  REQUIRE(list.size() == 1);
  CHECK(list[0]["id"] == id);
  CHECK(list[0]["name"] == "tiny");
  CHECK(list[0]["state"] == "queued");
  CHECK(list[0]["seed"] == 1);
  CHECK(list[0]["residual"] == "additive");
  CHECK(list[0]["attempts"] == 0);
  CHECK(list[0]["step"] == 0);
  CHECK(list[0]["tokens"] == 0);
  CHECK(list[0]["train_loss"].is_null());
  for (const std::string& word : {id, id.substr(0, 5), std::string("tiny"), std::string("@last")}) {
    CHECK(session.RunJson({"describe", word})["run"]["id"] == id);
  }
  CHECK(session.RunJson({"queue", "--why", id})[0]["run"]["id"] == id);
}

TEST_CASE("Values separated by commas make a run each, and --name counts them") {
  Session session;
  const Json runs =
      session.RunJson({"submit", session.spec, "seed=1,2,3", "--queue", "--name", "trio"});
  REQUIRE(runs.size() == 3);
  CHECK(runs[2]["name"] == "trio-3");
  CHECK(runs[2]["seed"] == 3);
  CHECK(session.RunJson({"ls", "-l", "seed!=2", "--sort", "seed"}).size() == 2);
  CHECK(session.RunJson({"ls", "--sort", "-seed"})[0]["seed"] == 3);
  CHECK(session.Run({"ls", "--sort", "sed"}).code == 2);
  CHECK(session.Run({"ls", "--state", "done"}).code == 2);
  CHECK(session.RunJson({"ls", "--state", "running,failed"}) == Json::array());
}

TEST_CASE("A dry run and a bad spec change nothing") {
  Session session;
  CHECK(session.Run({"submit", session.spec, "--queue", "--dry-run"}).code == 0);
  const std::string bad = session.folder.Write("bad.yaml", "name: x\nmodle: {d_model: 4}\n");
  for (const char* verb : {"submit", "validate", "local"}) {
    const Outcome outcome = session.Run({verb, bad});
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("bad.yaml:2:1") != std::string::npos);
    CHECK(outcome.err.find("model") != std::string::npos);
  }
  CHECK(session.RunJson({"ls"}) == Json::array());
}

TEST_CASE("What no worker can hold is refused unless it may queue") {
  Session session;
  session.cluster.AddWorker(2);
  const Outcome refused = session.Run({"submit", session.spec, "parallel.ranks=4"});
  CHECK(refused.code == 1);
  CHECK(refused.out.empty());
  CHECK(refused.err.find("2") != std::string::npos);
  CHECK(refused.err.find("--queue") != std::string::npos);
  CHECK(session.Run({"submit", session.spec, "parallel.ranks=4", "--queue"}).code == 0);
}

TEST_CASE("A run that failed is exit code 7 for wait, and its reason is said") {
  Session session;
  session.cluster.AddWorker(1);
  REQUIRE(session.Run({"submit", session.spec}).code == 0);
  session.cluster.TrainAll(3, [](const v1::ExperimentSpec&, int) { return std::nan(""); });
  const Outcome waited = session.Run({"wait", "@last", "--timeout", "20s", "-o", "json"});
  CHECK(waited.code == 7);
  CHECK(Json::parse(waited.out)[0]["state"] == "failed");
  CHECK(waited.err.find("loss is not finite") != std::string::npos);
  CHECK(session.RunJson({"logs", "@last"}).dump().find("loss is not finite") != std::string::npos);
}

TEST_CASE("Runs are cancelled once, what has ended is a conflict") {
  Session session;
  REQUIRE(session.Run({"submit", session.spec, "--queue"}).code == 0);
  CHECK(session.RunJson({"cancel", "@last"})[0]["state"] == "canceled");
  const Outcome again = session.Run({"resume", "@last"});
  CHECK(again.code == 5);
  CHECK(again.out.empty());
  CHECK(session.Run({"wait", "@last"}).code == 7);
}

TEST_CASE("Names from the server cannot drive the terminal") {
  Session session;
  const std::string spec = session.folder.Write("title.yaml", TinySpec() + "title: \"ok\"\n");
  REQUIRE(session.Run({"submit", spec, "--queue"}).code == 0);
  session.ddl.tty = true;
  const Outcome table = session.Run({"ls", "--no-color"});
  CHECK(table.out.find('\x1b') == std::string::npos);
}

TEST_CASE("doctor finds a cluster without workers, and is content with a ready one") {
  Session session;
  CHECK(session.Run({"doctor"}).code == 8);
  session.cluster.AddWorker(2);
  session.cluster.Beat();
  const Outcome outcome = session.Run({"doctor", "-o", "json"});
  const Json checks = Json::parse(outcome.out)["checks"];
  for (const Json& check : checks) {
    if (check["check"] == "ddl-rank" || check["check"] == "disk") continue;
    INFO(check.dump());
    CHECK(check["ok"] == true);
  }
}

}  // namespace
}  // namespace ddl::cli
