// A coordinator for tests of the daemon: the generated gRPC service on a real port. It keeps the
// protocol's promises (events applied once and in order, fencing by epoch) and records violations.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/mutex.h"
#include "proto/ddl/v1/workers.grpc.pb.h"
#include "worker/agent/attempt.h"

namespace ddl::agent {

class TestCoordinator final : public v1::Workers::Service {
 public:
  // Listens; the port stays the same over Stop and Start.
  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port_), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    server_->Shutdown(absl::ToChronoTime(absl::Now()));
    server_.reset();
    const MutexLock lock(&mutex_);
    sessions_.clear();  // A new coordinator knows no session.
  }
  ~TestCoordinator() override {
    if (server_ != nullptr) Stop();
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // Runs `change` on what the worker is told next.
  void Want(const std::function<void(v1::HeartbeatResponse*)>& change) {
    const MutexLock lock(&mutex_);
    change(&reply_);
    reply_.set_generation(reply_.generation() + 1);
  }
  void Fence(uint64_t epoch) {
    const MutexLock lock(&mutex_);
    fenced_below_ = epoch;
  }
  void SetCluster(const std::string& cluster) {
    const MutexLock lock(&mutex_);
    cluster_ = cluster;
  }

  std::vector<v1::RankEvent> Events(const RankKey& rank) {
    const MutexLock lock(&mutex_);
    return events_[rank];
  }
  std::vector<v1::InventoryAttempt> Inventory() {
    const MutexLock lock(&mutex_);
    return {inventory_.begin(), inventory_.end()};
  }
  std::set<int64_t> Commits() {
    const MutexLock lock(&mutex_);
    return commits_;
  }
  std::vector<std::string> Violations() {
    const MutexLock lock(&mutex_);
    return violations_;
  }
  std::set<std::string> Deleted() {
    const MutexLock lock(&mutex_);
    return deleted_;
  }
  int Registrations() {
    const MutexLock lock(&mutex_);
    return registrations_;
  }

 private:
  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override {
    const MutexLock lock(&mutex_);
    ++registrations_;
    sessions_.insert(request->session());
    response->set_cluster_id(cluster_);
    response->set_term(1);
    response->set_heartbeat_seconds(0.5);
    return grpc::Status::OK;
  }
  grpc::Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override {
    const MutexLock lock(&mutex_);
    if (!sessions_.contains(request->session())) return Unknown();
    inventory_ = request->inventory();
    *response = reply_;
    response->set_term(1);
    return grpc::Status::OK;
  }
  grpc::Status ReportEvents(grpc::ServerContext*, const v1::ReportEventsRequest* request,
                            v1::ReportEventsResponse* response) override {
    const MutexLock lock(&mutex_);
    if (!sessions_.contains(request->session())) return Unknown();
    for (const v1::CheckpointDeletion& deletion : request->deleted()) {
      deleted_.insert(deletion.folder());
    }
    if (request->events().empty()) return grpc::Status::OK;
    if (request->epoch() < fenced_below_) return {grpc::StatusCode::ABORTED, "fenced"};
    std::vector<v1::RankEvent>& log =
        events_[{{request->run(), request->epoch()}, request->rank()}];
    for (const v1::RankEvent& event : request->events()) {
      if (event.seq() <= log.size()) continue;
      if (event.seq() != log.size() + 1)
        violations_.push_back(absl::StrCat("gap at ", event.seq()));
      if (event.has_checkpoint_prepared() &&
          !commits_.contains(event.checkpoint_prepared().step())) {
        violations_.push_back(absl::StrCat("uncommitted ", event.checkpoint_prepared().step()));
      }
      log.push_back(event);
    }
    response->set_durable_seq(log.size());
    return grpc::Status::OK;
  }
  grpc::Status CommitCheckpoint(grpc::ServerContext*, const v1::CommitCheckpointRequest* request,
                                v1::CommitCheckpointResponse*) override {
    const MutexLock lock(&mutex_);
    if (!sessions_.contains(request->session())) return Unknown();
    commits_.insert(request->checkpoint().step());
    return grpc::Status::OK;
  }
  static grpc::Status Unknown() {
    return {grpc::StatusCode::FAILED_PRECONDITION, "unknown session: register"};
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  Mutex mutex_;
  std::string cluster_ ABSL_GUARDED_BY(mutex_) = "test-cluster";
  uint64_t fenced_below_ ABSL_GUARDED_BY(mutex_) = 0;
  int registrations_ ABSL_GUARDED_BY(mutex_) = 0;
  v1::HeartbeatResponse reply_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> sessions_ ABSL_GUARDED_BY(mutex_);
  google::protobuf::RepeatedPtrField<v1::InventoryAttempt> inventory_ ABSL_GUARDED_BY(mutex_);
  std::map<RankKey, std::vector<v1::RankEvent>> events_ ABSL_GUARDED_BY(mutex_);
  std::set<int64_t> commits_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> deleted_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> violations_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::agent
