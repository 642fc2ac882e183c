#include "worker/agent/reconcile.h"

#include <set>
#include <utility>

namespace ddl::agent {
namespace {

AttemptKey KeyOf(const v1::DesiredAttempt& desired) { return {desired.run(), desired.epoch()}; }

bool IsWaiting(const HeldRank& rank) {
  return rank.state == v1::RANK_STATE_LAUNCHING && rank.process.pid == 0 && !rank.gone;
}

const HeldRank* FindRank(const HeldAttempt& attempt, uint32_t rank) {
  const auto found = attempt.ranks.find(rank);
  return found == attempt.ranks.end() ? nullptr : &found->second;
}

// Every rank can be told where rank 0 listens, or is on rank 0's host.
bool KnowsRendezvous(const v1::DesiredAttempt& desired) {
  if (desired.world_size() <= 1 || desired.rendezvous_port() != 0) return true;
  for (const v1::RankAssignment& rank : desired.ranks()) {
    if (rank.rank() == 0) return true;
  }
  return false;
}

// An attempt that has begun to end starts no more ranks.
bool IsEnding(const HeldAttempt& attempt) {
  if (!attempt.launch_error.empty()) return true;
  for (const auto& [number, rank] : attempt.ranks) {
    if (rank.gone || rank.draining_since || rank.state == v1::RANK_STATE_EXITED) return true;
  }
  return false;
}

void AddStart(const v1::DesiredAttempt& desired, const HeldAttempt* held,
              std::vector<Action>* actions) {
  if (held != nullptr && IsEnding(*held)) return;
  const bool start = KnowsRendezvous(desired);
  Action action{start ? ActionKind::kStart : ActionKind::kAccept, KeyOf(desired)};
  for (const v1::RankAssignment& rank : desired.ranks()) {
    const HeldRank* present = held == nullptr ? nullptr : FindRank(*held, rank.rank());
    if (present == nullptr || (start && IsWaiting(*present))) action.ranks.push_back(rank.rank());
  }
  if (action.ranks.empty()) return;
  action.desired = desired;
  actions->push_back(std::move(action));
}

void AddStop(ActionKind kind, const AttemptKey& key, const HeldAttempt& held, absl::Duration grace,
             std::vector<Action>* actions) {
  Action action{kind, key};
  action.grace = grace;
  for (const auto& [number, rank] : held.ranks) {
    if (rank.gone || rank.state == v1::RANK_STATE_EXITED) continue;
    if (kind == ActionKind::kDrain && rank.draining_since) continue;
    action.ranks.push_back(number);
  }
  if (!action.ranks.empty()) actions->push_back(std::move(action));
}

// A process is never dropped from the inventory while it may live.
void AddForget(const AttemptKey& key, const HeldAttempt& held, std::vector<Action>* actions) {
  if (AllExited(held)) {
    actions->push_back({ActionKind::kForget, key});
  } else {
    AddStop(ActionKind::kKill, key, held, {}, actions);
  }
}

void AddStopsFor(const v1::DesiredAttempt& desired, const HeldAttempt& held,
                 std::vector<Action>* actions) {
  const AttemptKey key = KeyOf(desired);
  switch (desired.desired()) {
    case v1::DESIRED_DRAIN:
      AddStop(ActionKind::kDrain, key, held, absl::Seconds(desired.grace_seconds()), actions);
      break;
    case v1::DESIRED_KILL: AddStop(ActionKind::kKill, key, held, {}, actions); break;
    case v1::DESIRED_FORGET: AddForget(key, held, actions); break;
    default: break;  // A wish of a later version asks for nothing.
  }
}

}  // namespace

bool Reconciler::IsOld(const v1::HeartbeatResponse& reply) const {
  return std::pair(reply.term(), reply.generation()) < std::pair(term_, generation_);
}

bool Reconciler::SeeTerm(uint64_t term) {
  if (term < term_) return false;
  if (term > term_) {
    term_ = term;
    generation_ = 0;
  }
  return true;
}

std::vector<Action> Reconciler::React(const HeldAttempts& held,
                                      const v1::HeartbeatResponse& reply) {
  if (IsOld(reply)) return {};
  term_ = reply.term();
  generation_ = reply.generation();
  holding_ = reply.hold();
  if (holding_) return {};

  std::vector<Action> actions;
  std::vector<Action> starts;
  std::set<AttemptKey> wanted;
  for (const v1::DesiredAttempt& desired : reply.desired()) {
    const AttemptKey key = KeyOf(desired);
    wanted.insert(key);
    const auto found = held.find(key);
    const HeldAttempt* attempt = found == held.end() ? nullptr : &found->second;
    if (desired.desired() == v1::DESIRED_RUN) {
      AddStart(desired, attempt, &starts);
    } else if (attempt != nullptr) {
      AddStopsFor(desired, *attempt, &actions);
    }
  }
  for (const auto& [key, attempt] : held) {
    if (!wanted.contains(key)) AddForget(key, attempt, &actions);
  }
  actions.insert(actions.end(), starts.begin(), starts.end());
  for (const v1::CheckpointDeletion& deletion : reply.deletions()) {
    Action action{ActionKind::kDeleteCheckpoint};
    action.deletion = deletion;
    actions.push_back(std::move(action));
  }
  return actions;
}

std::vector<Action> OverdueDrains(const HeldAttempts& held, absl::Time now) {
  std::vector<Action> actions;
  for (const auto& [key, attempt] : held) {
    Action action{ActionKind::kKill, key};
    for (const auto& [number, rank] : attempt.ranks) {
      const bool lives = !rank.gone && rank.state != v1::RANK_STATE_EXITED;
      if (lives && rank.draining_since && now - *rank.draining_since >= rank.grace) {
        action.ranks.push_back(number);
      }
    }
    if (!action.ranks.empty()) actions.push_back(std::move(action));
  }
  return actions;
}

}  // namespace ddl::agent
