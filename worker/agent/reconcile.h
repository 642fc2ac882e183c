// Turns the coordinator's desired set into actions: pure, level-triggered.
//
// A lost, repeated or reordered reply is harmless: a reply older than the newest one obeyed asks
// for nothing, and a repeated one asks only for what is still missing.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/attempt.h"

namespace ddl::agent {

enum class ActionKind {
  kAccept,  // Hold `ranks` without starting them: rank 0's worker has not named its port yet.
  kStart,   // Start `ranks`.
  kDrain,   // SIGTERM to `ranks`, and SIGKILL `grace` later.
  kKill,    // SIGKILL to `ranks`; those never started end without having run.
  kForget,  // Drop the attempt from the inventory.
  kDeleteCheckpoint,
};

struct Action {
  ActionKind kind = ActionKind::kAccept;
  AttemptKey key;
  std::vector<uint32_t> ranks;
  absl::Duration grace;
  v1::DesiredAttempt desired;       // For kAccept and kStart.
  v1::CheckpointDeletion deletion;  // For kDeleteCheckpoint.
};

// Remembers the newest (term, generation) that was obeyed.
class Reconciler {
 public:
  // `term` is the highest term that an earlier daemon of this worker has seen.
  explicit Reconciler(uint64_t term) : term_(term) {}

  // What to do so that `held` becomes what `reply` asks for. Empty for a reply that is older than
  // one obeyed before, and while the reply says `hold`.
  std::vector<Action> React(const HeldAttempts& held, const v1::HeartbeatResponse& reply);

  // A registration's term counts too. False when it is lower than one seen: not to be believed.
  bool SeeTerm(uint64_t term);

  uint64_t term() const { return term_; }
  bool holding() const { return holding_; }  // The newest reply said `hold`.

 private:
  bool IsOld(const v1::HeartbeatResponse& reply) const;

  uint64_t term_;
  uint64_t generation_ = 0;
  bool holding_ = false;
};

// kKill for the ranks whose grace is over. Needs no coordinator.
std::vector<Action> OverdueDrains(const HeldAttempts& held, absl::Time now);

}  // namespace ddl::agent
