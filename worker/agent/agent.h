// The worker daemon's whole behaviour without threads, clock, gRPC, files or processes of its own:
// inventory, registration, reconciliation, delivery. The daemon and the simulator drive it.
//
// Owned by one thread. Nothing here blocks beyond what the host's interfaces do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/adoption.h"
#include "worker/agent/attempt.h"
#include "worker/agent/host.h"
#include "worker/agent/launch.h"
#include "worker/agent/outbox.h"
#include "worker/agent/reconcile.h"

namespace ddl::agent {

struct AgentSettings {
  std::string worker;   // Name.
  std::string session;  // Random, of this daemon start.
  std::string pool = "default";
  std::vector<v1::Slot> slots;
  std::string http_address;
  std::string version;
  LaunchSettings launch;
  // What an earlier daemon of this worker has learned.
  std::string cluster_id;
  uint64_t term = 0;
};

// Something that a person should read; the daemon logs it.
struct AgentNotice {
  AttemptKey key;
  std::string text;
};

class Agent {
 public:
  // The interfaces must outlive this.
  Agent(AgentSettings settings, RankHost* ranks, ProcessTable* processes, SpoolSource* spools);

  void SetHttpAddress(const std::string& address) { settings_.http_address = address; }

  // Takes over the ranks that an earlier daemon left. Once, before anything else.
  absl::Status Adopt(absl::Time now);

  v1::RegisterRequest MakeRegister(const std::string& request_id) const;
  // kFailedPrecondition: another cluster. kAborted: a term lower than one seen. Nothing changed
  // then.
  absl::Status OnRegistered(const v1::RegisterResponse& response);
  // False before the first good registration and after a heartbeat was told to register again.
  bool registered() const { return registered_; }

  v1::HeartbeatRequest MakeHeartbeat(const v1::HostUsage& usage);
  // Obeys the desired set: starts, signals and forgets ranks, deletes checkpoints.
  void OnHeartbeat(const v1::HeartbeatResponse& response, absl::Time now);
  // kFailedPrecondition means: register again. Other errors change nothing.
  void OnHeartbeatError(const absl::Status& status);

  // Looks after processes and spools: ends, overdue drains, new events. Often, and cheap.
  void Poll(absl::Time now);

  // Stops every rank, as a wish of the coordinator to drain it would, and starts no more.
  void Drain(absl::Duration grace, absl::Time now);
  // After Drain: no rank is left, and all that they wrote is delivered.
  bool drained() const;

  // Delivery; see Outbox. No call is given before the first registration.
  std::optional<OutboxCall> NextCall();
  void OnReport(const RankKey& rank, const absl::Status& status,
                const v1::ReportEventsResponse& response);
  void OnCommit(const RankKey& rank, const absl::Status& status);

  const HeldAttempts& held() const { return held_; }
  const Outbox& outbox() const { return outbox_; }
  const std::string& cluster_id() const { return settings_.cluster_id; }
  uint64_t term() const { return reconciler_.term(); }
  bool holding() const { return reconciler_.holding(); }
  double orphan_ttl_seconds() const { return settings_.launch.orphan_ttl_seconds; }
  std::vector<AgentNotice> TakeNotices();

 private:
  void Perform(const Action& action, absl::Time now);
  void Accept(const Action& action);
  void Start(const Action& action, absl::Time now);
  absl::Status StartRanks(const Action& action, HeldAttempt* attempt);
  void FailLaunch(const AttemptKey& key, const absl::Status& status, absl::Time now);
  void Stop(const Action& action, absl::Time now);
  void StopRank(const RankKey& key, const Action& action, HeldRank* rank, absl::Time now);
  void Forget(const AttemptKey& key);
  void Delete(const v1::CheckpointDeletion& deletion);
  void PollRank(const RankKey& key, HeldRank* rank, absl::Time now);
  void ReadSpool(const RankKey& key, HeldRank* rank);
  void EndRank(const RankKey& key, v1::ExitClass exit_class, int exit_code,
               const std::string& message, HeldRank* rank, absl::Time now);
  v1::InventoryAttempt InventoryOf(const AttemptKey& key, const HeldAttempt& attempt) const;
  void Say(const AttemptKey& key, std::string text);

  AgentSettings settings_;
  RankHost& ranks_;
  ProcessTable& processes_;
  Reconciler reconciler_;
  Outbox outbox_;
  HeldAttempts held_;
  uint64_t heartbeat_sequence_ = 0;
  bool registered_ = false;
  bool draining_ = false;
  std::vector<AgentNotice> notices_;
};

}  // namespace ddl::agent
