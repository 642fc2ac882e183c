// What runs have recorded, read back and compared: metrics, config, compare, report and sweeps.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>

#include "absl/strings/str_split.h"
#include "tests/cli/session.h"

namespace ddl::cli {
namespace {

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
