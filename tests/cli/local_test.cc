// Launch files, run folders and rank processes of `ddl local`, with a rank program that is played
// by a shell script: what it is given, how it is stopped, how its end is told.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/local_ranks.h"
#include "cli/run_folder.h"
#include "common/spec_rules.h"
#include "common/spool.h"
#include "proto/ddl/v1/events.pb.h"
#include "tests/cli/in_process.h"

namespace ddl::cli {
namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/ddl-local-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Program(const std::string& body) const {
    const std::string path = Write("ddl-rank", "#!/bin/sh\n" + body);
    REQUIRE(chmod(path.c_str(), 0700) == 0);
    return path;
  }

 private:
  std::string path_;
};

v1::ExperimentSpec Spec(uint32_t ranks) {
  v1::ExperimentSpec partial;
  partial.mutable_data()->set_path("text");
  partial.mutable_parallel()->set_ranks(ranks);
  partial.mutable_parallel()->set_threads_per_rank(3);
  const auto spec = ResolveSpec(partial);
  REQUIRE(spec.ok());
  return *spec;
}

LocalRun Plan(const Folder& folder, uint32_t ranks) {
  return {"k3v9x2mq", Spec(ranks), folder.path() + "/run", folder.path() + "/text", "cpu"};
}

Io IoWith(Interrupt* interrupt) {
  Io io;
  io.interrupt = interrupt;
  io.environment = {{"PATH", "/usr/bin:/bin"}, {"LD_PRELOAD", "evil.so"}, {"HOME", "/root"}};
  return io;
}

void WaitForEnd(LocalRanks* ranks) {
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (!ranks->AllEnded()) {
    REQUIRE(absl::Now() < limit);
    ranks->Wait(absl::Milliseconds(50));
  }
}

TEST_CASE("Each rank gets its own folder, and all of them one rendezvous") {
  const Folder folder;
  const std::vector<v1::RankLaunch> launches = LaunchesOf(Plan(folder, 2), 4711);
  REQUIRE(launches.size() == 2);
  CHECK(launches[1].rank() == 1);
  CHECK(launches[1].world_size() == 2);
  CHECK(launches[0].rank_folder() == folder.path() + "/run/r0");
  CHECK(launches[1].rank_folder() == folder.path() + "/run/r1");
  CHECK(launches[0].rendezvous_port() == launches[1].rendezvous_port());
  CHECK(launches[0].attempt_checkpoint_folder() == launches[0].checkpoint_root() + "/k3v9x2mq/e1");
  CHECK(LaunchesOf(Plan(folder, 1), 4711)[0].rendezvous_host().empty());
}

TEST_CASE("A rank sees the environment that a worker gives, and no more") {
  const Folder folder;
  const std::string program = folder.Program("env; echo args: $*; exit 0\n");
  Interrupt interrupt;
  auto ranks = LocalRanks::Start(Plan(folder, 1), program, IoWith(&interrupt));
  REQUIRE(ranks.ok());
  WaitForEnd(&*ranks);
  CHECK(ranks->exit_code() == 0);
  const std::string log = folder.Read("run/r0/log");
  CHECK(log.find("OMP_NUM_THREADS=3") != std::string::npos);
  CHECK(log.find("HOME=/root") != std::string::npos);
  CHECK(log.find("LD_PRELOAD") == std::string::npos);
  CHECK(log.find("args: train --launch " + folder.path() + "/run/r0/launch.pb") !=
        std::string::npos);
}

TEST_CASE("SIGTERM reaches a rank, and one that fails ends the others") {
  const Folder folder;
  const std::string program = folder.Program(
      "trap 'exit 75' TERM\ncase $3 in */r1/*) exit 2;; esac\nwhile :; do sleep 0.05; done\n");
  Interrupt interrupt;
  auto ranks = LocalRanks::Start(Plan(folder, 2), program, IoWith(&interrupt));
  REQUIRE(ranks.ok());
  WaitForEnd(&*ranks);
  CHECK(ranks->exit_code() == 2);
}

TEST_CASE("A killed rank is told as 128 and the signal") {
  const Folder folder;
  Interrupt interrupt;
  auto ranks =
      LocalRanks::Start(Plan(folder, 1), folder.Program("kill -9 $$\n"), IoWith(&interrupt));
  REQUIRE(ranks.ok());
  WaitForEnd(&*ranks);
  CHECK(ranks->exit_code() == 137);
}

TEST_CASE("A run folder gives back every recorded point, and a damaged spool its place") {
  const Folder folder;
  const LocalRun plan = Plan(folder, 1);
  std::filesystem::create_directories(plan.folder + "/r0");
  folder.Write("run/r0/launch.pb", LaunchesOf(plan, 0)[0].SerializeAsString());
  {
    auto writer = SpoolWriter::Open(plan.folder + "/r0/spool");
    REQUIRE(writer.ok());
    for (int step = 1; step <= 3; ++step) {
      v1::RankEvent event;
      event.set_seq(static_cast<uint64_t>(step));
      event.mutable_step()->set_step(step);
      event.mutable_step()->set_tokens(step * 10);
      v1::Sample& sample = *event.mutable_step()->add_samples();
      sample.set_name("gate_beta_mean");
      sample.set_layer("3");
      sample.set_sublayer("mlp");
      sample.set_value(0.1 * step);
      REQUIRE(writer->Append(event.SerializeAsString(), false).ok());
    }
  }
  CHECK(IsRunFolder(plan.folder));
  CHECK(IsRunFolder(plan.folder + "/r0"));
  CHECK_FALSE(IsRunFolder(folder.path()));
  const auto read = ReadRunFolder(plan.folder);
  REQUIRE(read.ok());
  const auto& points = read->series.at("gate_beta_mean/3/mlp");
  REQUIRE(points.size() == 3);
  CHECK(points[2].value() == 0.1 * 3);
  CHECK(points[2].tokens() == 30);
  InProcess ddl;
  const Outcome csv = ddl.Run({"metrics", plan.folder, "gate_beta_mean/3/mlp", "-o", "csv"});
  CHECK(csv.code == 0);
  CHECK(csv.out.rfind("run,attempt,step,tokens,flops,active_seconds,value\nk3v9x2mq,1,1,10,", 0) ==
        0);
  std::fstream spool(plan.folder + "/r0/spool", std::ios::in | std::ios::out | std::ios::binary);
  spool.seekp(12);
  spool.put('\xff');
  spool.close();
  CHECK(absl::IsDataLoss(ReadRunFolder(plan.folder).status()));
}

TEST_CASE("ddl local wants data that is there and an empty folder") {
  const Folder folder;
  InProcess ddl;
  const std::string spec = folder.Write("tiny.yaml", "version: 1\ndata: {path: nowhere}\n");
  const Outcome outcome = ddl.Run({"local", spec, "--data-root", folder.path()});
  CHECK(outcome.code == 3);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find("nowhere") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists("ddl-runs"));
}

}  // namespace
}  // namespace ddl::cli
