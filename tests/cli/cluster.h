// A real coordinator in this process (journal on disk, gRPC on a free port) and a worker that is
// played by the test: it speaks the worker protocol over gRPC and "trains" by reporting events.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/service/commit_loop.h"
#include "coordinator/service/server.h"
#include "coordinator/store/sqlite_store.h"
#include "proto/ddl/v1/workers.grpc.pb.h"

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
  std::string address() const { return server_->address(); }
  // Ends the coordinator, so that its port answers no more.
  void Stop() { server_.reset(); }

  // Announces a worker with CPU slots.
  void AddWorker(uint32_t slots);

  // One heartbeat: ends what is not desired any more and begins what is, up to RankStarted.
  void Beat();
  // Beats until nothing is left to train: every attempt reports `steps` steps with `loss(spec,
  // step)` as its train and validation loss and then exits: with success, or as the user's failure
  // when `loss` gives NaN.
  void TrainAll(int steps, const std::function<double(const v1::ExperimentSpec&, int)>& loss);

 private:
  struct Held {
    v1::DesiredAttempt desired;
    uint64_t seq = 0;
    bool exited = false;
  };
  void Report(Held* held, std::vector<v1::RankEvent> events);

  TempFolder folder_;
  std::unique_ptr<coordinator::SqliteStore> store_;
  std::unique_ptr<coordinator::CommitLoop> loop_;
  coordinator::CallGate gate_;
  std::unique_ptr<coordinator::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Workers::Stub> workers_;
  uint64_t sequence_ = 0;
  std::map<std::string, Held> held_;  // By run.
};

}  // namespace ddl::cli
