// One worker: a simulated host and, while it is up, the daemon on it, which is the production Agent
// with the daemon's timers.
#pragma once

#include <memory>
#include <string>

#include "tests/sim/coordinator_node.h"
#include "tests/sim/host.h"
#include "tests/sim/network.h"
#include "worker/agent/agent.h"

namespace ddl::sim {

class WorkerNode {
 public:
  WorkerNode(int index, uint32_t slots, EventQueue* queue, Random* random, Tally* tally,
             Network* network, CoordinatorNode* coordinator, std::unique_ptr<Host> host);

  void Start();
  void Crash();
  void Reboot();
  bool up() const { return agent_ != nullptr; }
  bool idle() const { return up() && agent_->outbox().idle() && agent_->held().empty(); }
  Host& host() { return *host_; }
  int index() const { return index_; }
  uint32_t slots() const { return slots_; }
  const std::string& name() const { return name_; }
  // A CommitCheckpoint was answered OK, a report with this seq too.
  std::function<void(const std::string& run, const std::string& folder)> on_committed;
  std::function<void(const agent::RankKey& rank, uint64_t seq)> on_acknowledged;

 private:
  void Beat(uint64_t incarnation);
  void Register(uint64_t incarnation);
  void Heartbeat(uint64_t incarnation);
  void PollLater(uint64_t incarnation);
  void Pump(uint64_t incarnation);
  void SendReport(const agent::OutboxCall& call, uint64_t incarnation);
  void SendCommit(const agent::OutboxCall& call, uint64_t incarnation);
  absl::Time Now() const { return absl::UnixEpoch() + queue_.now(); }
  bool IsCurrent(uint64_t incarnation) const { return up() && incarnation == incarnation_; }

  int index_;
  uint32_t slots_;
  std::string name_;
  EventQueue& queue_;
  Random& random_;
  Tally& tally_;
  Network& network_;
  CoordinatorNode& coordinator_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<agent::Agent> agent_;
  std::string cluster_id_;  // What the daemon has on disk.
  uint64_t term_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t registrations_ = 0;
  bool beating_ = false;  // A registration or heartbeat is under way.
};

}  // namespace ddl::sim
