// Every verb against a real coordinator: streams, exit codes and the contracts of scripts.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_split.h"
#include "tests/cli/cluster.h"
#include "tests/cli/in_process.h"

namespace ddl::cli {
namespace {

using Json = nlohmann::ordered_json;

// ddl against the cluster, with a spec file ready.
struct Session {
  Cluster cluster;
  TempFolder folder;
  InProcess ddl;
  std::string spec;

  Session() {
    ddl.environment = {{"DDL_ADDR", cluster.address()}, {"USER", "tester"}};
    spec = folder.Write("tiny.yaml", TinySpec());
  }
  Outcome Run(std::vector<std::string> words) { return ddl.Run(words); }
  Json RunJson(std::vector<std::string> words) {
    words.insert(words.begin(), {"-o", "json"});
    const Outcome outcome = ddl.Run(words);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out);
  }
};

double LossOf(const v1::ExperimentSpec& spec, int step) {
  const double residual = spec.model().residual().kind() == "ddl" ? -0.1 : 0.0;
  return 4.0 + residual + 0.01 * static_cast<double>(spec.seed()) - 0.1 * step;
}

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
  CHECK(session.Run({"submit", session.spec, "parallel.ranks=4", "--queue"}).code == 0);
}

TEST_CASE("A trained run gives exact points in the contract's columns, and a config that repeats") {
  Session session;
  session.cluster.AddWorker(2);
  REQUIRE(session.Run({"submit", session.spec}).code == 0);
  session.cluster.TrainAll(10, LossOf);
  CHECK(session.Run({"wait", "@last", "--timeout", "20s"}).code == 0);
  const std::string id = session.RunJson({"ls"})[0]["id"];
  const Outcome csv = session.Run({"metrics", id, "train_loss", "-o", "csv"});
  REQUIRE(csv.code == 0);
  const std::vector<std::string> lines = absl::StrSplit(csv.out, '\n', absl::SkipEmpty());
  REQUIRE(lines.size() == 11);
  CHECK(lines[0] == "run,attempt,step,tokens,flops,active_seconds,value");
  const std::vector<std::string> last = absl::StrSplit(lines[10], ',');
  REQUIRE(last.size() == 7);
  CHECK(last[0] == id);
  CHECK(last[2] == "10");
  CHECK(last[3] == "20480");
  CHECK(std::stod(last[6]) == 4.0 + 0.01 - 0.1 * 10);
  CHECK(session.Run({"metrics", id, "train_los", "-o", "csv"}).code == 3);

  const Outcome config = session.Run({"config", id, "--resolved"});
  REQUIRE(config.code == 0);
  const std::string again = session.folder.Write("again.yaml", config.out);
  REQUIRE(session.Run({"submit", again}).code == 0);
  const Json first = session.RunJson({"describe", id})["spec"];
  CHECK(session.RunJson({"describe", "@last"})["spec"] == first);
  const Outcome shorter = session.Run({"config", id});
  CHECK(shorter.out.size() < config.out.size());
  REQUIRE(session.Run({"submit", session.folder.Write("short.yaml", shorter.out)}).code == 0);
  CHECK(session.RunJson({"describe", "@last"})["spec"] == first);
}

TEST_CASE("Arms are compared with the means of their seeds, and unlike data is refused") {
  Session session;
  session.cluster.AddWorker(4);
  REQUIRE(session.Run({"submit", session.spec, "seed=1,2,3"}).code == 0);
  REQUIRE(session.Run({"submit", session.spec, "seed=1,2,3", "model.residual={kind: ddl}"}).code ==
          0);
  session.cluster.TrainAll(10, LossOf);
  const Json comparison = session.RunJson({"compare", "-l", "experiment=tests"});
  REQUIRE(comparison["arms"].size() == 2);
  for (const Json& arm : comparison["arms"]) {
    CHECK(arm["n"] == 3);
    CHECK(arm["at_tokens"] == 20480);
    const double residual = arm["residual"] == "additive" ? 0.0 : -0.1;
    CHECK(arm["mean"].get<double>() == Approx(4.0 + residual + 0.02 - 1.0).epsilon(1e-12));
    // Deviation 0.01 over three seeds; t(0.975, 2) = 4.30265.
    CHECK(arm["half_width"].get<double>() == Approx(4.302652729911275 * 0.01 / std::sqrt(3.0)));
    for (const Json& value : arm["values"]) {
      CHECK(value.contains("run"));
      CHECK(value.contains("seed"));
      CHECK(value.contains("value"));
    }
  }
  const Outcome table = session.Run({"compare", "-l", "experiment=tests", "--at", "8K,20480"});
  CHECK(table.code == 0);
  CHECK(table.out.find("additive") != std::string::npos);
  CHECK(session.Run({"compare", "-l", "experiment=tests", "--fail-if-worse", "0"}).code == 0);
  const Outcome worse = session.Run(
      {"compare", "-l", "experiment=tests", "--baseline", "ddl/1", "--fail-if-worse", "0.05"});
  CHECK(worse.code == 8);
  CHECK_FALSE(worse.out.empty());

  REQUIRE(session.Run({"submit", session.spec, "eval.tokens=4096"}).code == 0);
  session.cluster.TrainAll(10, LossOf);
  const Outcome unlike = session.Run({"compare", "-l", "experiment=tests"});
  CHECK(unlike.code == 5);
  CHECK(unlike.out.empty());
  CHECK(unlike.err.find("eval.tokens") != std::string::npos);
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

TEST_CASE("Runs are cancelled once; what has ended is a conflict") {
  Session session;
  REQUIRE(session.Run({"submit", session.spec, "--queue"}).code == 0);
  CHECK(session.RunJson({"cancel", "@last"})[0]["state"] == "canceled");
  const Outcome again = session.Run({"resume", "@last"});
  CHECK(again.code == 5);
  CHECK(again.out.empty());
  CHECK(session.Run({"wait", "@last"}).code == 7);
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

TEST_CASE("The report holds curves, table and provenance, and asks nothing of the network") {
  Session session;
  session.cluster.AddWorker(4);
  REQUIRE(session.Run({"submit", session.spec, "seed=1,2", "--name", "base"}).code == 0);
  REQUIRE(session.Run({"submit", session.spec, "seed=1,2", "model.residual={kind: ddl}"}).code ==
          0);
  session.cluster.TrainAll(10, LossOf);
  const std::string file = session.folder.path() + "/report.html";
  const Outcome outcome = session.Run({"report", "-l", "experiment=tests", "--out", file, "--title",
                                       "<script>alert(1)</script>", "-o", "name"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out == file + "\n");
  std::ifstream stream(file);
  const std::string html((std::istreambuf_iterator<char>(stream)), {});
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("http://") == std::string::npos);
  CHECK(html.find("https://") == std::string::npos);
  for (const char* part : {"val_loss by training tokens", "val_loss by training FLOPs",
                           "val_loss by active seconds", "Mean gate beta by layer", "Provenance",
                           "<details>", "prefers-color-scheme", "stroke-dasharray"}) {
    INFO(part);
    CHECK(html.find(part) != std::string::npos);
  }
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

TEST_CASE("A sweep is created, listed and compared by arm") {
  Session session;
  session.cluster.AddWorker(4);
  const std::string base = TinySpec();
  const std::string sweep = session.folder.Write(
      "sweep.yaml",
      "version: 1\nname: pair\nbase: tiny.yaml\nmethod: grid\nparameters:\n"
      "  model.residual:\n    values:\n      - {kind: additive}\n      - {kind: ddl}\n"
      "  seed: {repeat: 2}\n");
  CHECK(session.Run({"sweep", "create", session.spec}).code == 2);
  const Json runs = session.RunJson({"sweep", "create", sweep});
  CHECK(runs.size() <= 4);
  session.cluster.TrainAll(10, LossOf);
  const Json sweeps = session.RunJson({"sweep", "ls"});
  REQUIRE(sweeps.size() == 1);
  CHECK(sweeps[0]["trials"] == 4);
  const Json status = session.RunJson({"sweep", "status", "pair"});
  CHECK(status["runs"].size() == 4);
  CHECK(status["comparison"]["arms"].size() == 2);
  CHECK(session.RunJson({"compare", "--sweep", "pair"})["arms"].size() == 2);
}

}  // namespace
}  // namespace ddl::cli
