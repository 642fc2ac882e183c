// A real coordinator process with its journal on disk, a worker that is played by the test (it
// speaks the worker protocol over gRPC and "trains" by reporting events), and ddl in this process.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proto/ddl/v1/experiments.grpc.pb.h"
#include "proto/ddl/v1/workers.grpc.pb.h"
#include "tests/cli/in_process.h"

namespace ddl::cli {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  const std::string& path() const { return path_; }
  // Writes a file below it and gives its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

// A small experiment that needs no data folder.
std::string TinySpec();

class Cluster {
 public:
  Cluster();
  ~Cluster();
  const std::string& address() const { return address_; }
  // Kills the coordinator, so that its port answers no more.
  void Stop();

  // Announces a worker with CPU slots.
  void AddWorker(uint32_t slots);

  // One heartbeat: ends what is not desired any more and begins what is, up to RankStarted.
  void Beat();
  // Adds to the log of rank 0 of a run's present attempt, as its worker would.
  void WriteLog(const std::string& run, const std::string& text, bool end);
  // Beats until every run has ended: each attempt reports `steps` steps with `loss(spec,
  // step)` as its train and validation loss and then exits: with success, or as the user's failure
  // when `loss` gives NaN.
  void TrainAll(int steps, const std::function<double(const v1::ExperimentSpec&, int)>& loss);

 private:
  struct Held {
    v1::DesiredAttempt desired;
    uint64_t seq = 0;
    uint64_t log_bytes = 0;
    bool exited = false;
  };
  void Report(Held* held, std::vector<v1::RankEvent> events);
  bool AllEnded();

  TempFolder folder_;
  pid_t pid_ = 0;
  std::string address_;
  std::unique_ptr<v1::Workers::Stub> workers_;
  std::unique_ptr<v1::Experiments::Stub> experiments_;
  uint64_t sequence_ = 0;
  uint64_t term_ = 0;
  std::map<std::string, Held> held_;  // By run.
};

using Json = nlohmann::ordered_json;

// ddl against a cluster of its own, with a spec file ready.
struct Session {
  Cluster cluster;
  TempFolder folder;
  InProcess ddl;
  std::string spec;

  Session();
  Outcome Run(const std::vector<std::string>& words) { return ddl.Run(words); }
  // With -o json; requires success.
  Json RunJson(std::vector<std::string> words);
};

// Falls by step, differs by residual and seed: what played workers report.
double LossOf(const v1::ExperimentSpec& spec, int step);

}  // namespace ddl::cli
