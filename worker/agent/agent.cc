#include "worker/agent/agent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::agent {
namespace {

constexpr int kReadsPerPoll = 4;  // Of up to 1,000 events, so that one rank cannot stop the others.

std::string Describe(const ProcessEnd& end) {
  if (end.signal) return absl::StrCat("killed by signal ", *end.signal, ", without an exit record");
  if (end.exit_code) {
    return absl::StrCat("exited with code ", *end.exit_code, ", without an exit record");
  }
  return "found gone, without an exit record";
}

int ExitCodeOf(const ProcessEnd& end) {
  if (end.signal) return 128 + *end.signal;
  return end.exit_code.value_or(-1);
}

}  // namespace

Agent::Agent(AgentSettings settings, RankHost* ranks, ProcessTable* processes, SpoolSource* spools)
    : settings_(std::move(settings)),
      ranks_(*ranks),
      processes_(*processes),
      reconciler_(settings_.term),
      outbox_(settings_.worker, settings_.session, spools) {}

absl::Status Agent::Adopt(absl::Time now) {
  DDL_CHECK(held_.empty());
  DDL_ASSIGN_OR_RETURN(const std::vector<FoundRank> found, ranks_.FindRanks());
  Adoption adoption = agent::Adopt(found, &processes_);
  held_ = std::move(adoption.held);
  for (const RankKey& key : adoption.adopted) {
    outbox_.Add(key);
    Say(key.attempt, absl::StrCat("rank ", key.rank, " runs on as process ",
                                  held_[key.attempt].ranks[key.rank].process.pid));
  }
  for (const RankKey& key : adoption.gone) {
    outbox_.Add(key);
    EndRank(key, v1::EXIT_CLASS_INFRASTRUCTURE, -1, Describe({}),
            &held_[key.attempt].ranks[key.rank], now);
  }
  return absl::OkStatus();
}

v1::RegisterRequest Agent::MakeRegister(const std::string& request_id) const {
  v1::RegisterRequest request;
  request.set_request_id(request_id);
  request.set_worker(settings_.worker);
  request.set_session(settings_.session);
  request.set_boot_id(processes_.BootId());
  request.set_pool(settings_.pool);
  for (const v1::Slot& slot : settings_.slots) *request.add_slots() = slot;
  request.set_data_address(settings_.launch.data_address);
  request.set_http_address(settings_.http_address);
  request.set_version(settings_.version);
  for (const auto& [key, attempt] : held_) {
    *request.add_inventory() = InventoryOf(key, attempt);
  }
  request.set_cluster_id(settings_.cluster_id);
  return request;
}

absl::Status Agent::OnRegistered(const v1::RegisterResponse& response) {
  if (!settings_.cluster_id.empty() && response.cluster_id() != settings_.cluster_id) {
    return absl::FailedPreconditionError(
        absl::StrCat("this worker belongs to cluster ", settings_.cluster_id,
                     ", the coordinator to cluster ", Quoted(response.cluster_id())));
  }
  const uint64_t term_before = term();
  if (!reconciler_.SeeTerm(response.term())) {
    return absl::AbortedError(absl::StrCat("the coordinator is of term ", response.term(),
                                           ", term ", reconciler_.term(), " was seen already"));
  }
  settings_.cluster_id = response.cluster_id();
  if (response.orphan_ttl_seconds() > 0) {
    settings_.launch.orphan_ttl_seconds = response.orphan_ttl_seconds();
  }
  registered_ = true;
  if (term() > term_before) outbox_.AskAgain();
  return absl::OkStatus();
}

v1::InventoryAttempt Agent::InventoryOf(const AttemptKey& key, const HeldAttempt& attempt) const {
  v1::InventoryAttempt inventory;
  inventory.set_run(key.run);
  inventory.set_epoch(key.epoch);
  for (const auto& [number, rank] : attempt.ranks) {
    const Outbox::Position at = outbox_.position({key, number});
    v1::InventoryRank* entry = inventory.add_ranks();
    entry->set_rank(number);
    entry->set_pid(rank.process.pid);
    entry->set_state(rank.state);
    entry->set_spool_seq(at.spool_seq);
    entry->set_delivered_seq(at.delivered_seq);
    inventory.set_last_step(std::max(inventory.last_step(), at.last_step));
  }
  if (attempt.ranks.contains(0)) {
    inventory.set_rendezvous_host(attempt.rendezvous_host);
    inventory.set_rendezvous_port(attempt.rendezvous_port);
  }
  inventory.set_launch_error(attempt.launch_error);
  return inventory;
}

v1::HeartbeatRequest Agent::MakeHeartbeat(const v1::HostUsage& usage) {
  v1::HeartbeatRequest request;
  request.set_worker(settings_.worker);
  request.set_session(settings_.session);
  request.set_sequence(++heartbeat_sequence_);
  request.set_term_seen(reconciler_.term());
  for (const auto& [key, attempt] : held_) {
    *request.add_inventory() = InventoryOf(key, attempt);
  }
  *request.mutable_usage() = usage;
  return request;
}

void Agent::OnHeartbeat(const v1::HeartbeatResponse& response, absl::Time now) {
  const bool was_holding = holding();
  const uint64_t term_before = term();
  for (const Action& action : reconciler_.React(held_, response)) Perform(action, now);
  if (term() > term_before) outbox_.AskAgain();
  if (holding() && !was_holding) {
    Say({}, "the coordinator's state is older than this worker's: nothing is changed here");
  }
}

void Agent::OnHeartbeatError(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) registered_ = false;
}

void Agent::Drain(absl::Duration grace, absl::Time now) {
  draining_ = true;
  for (auto& [key, attempt] : held_) {
    for (auto& [number, rank] : attempt.ranks) {
      if (rank.gone || rank.state == v1::RANK_STATE_EXITED || rank.draining_since) continue;
      Action action{ActionKind::kDrain, key};
      action.grace = grace;
      StopRank({key, number}, action, &rank, now);
    }
  }
}

bool Agent::drained() const {
  return draining_ && outbox_.idle() &&
         std::all_of(held_.begin(), held_.end(),
                     [](const auto& entry) { return AllExited(entry.second); });
}

void Agent::Perform(const Action& action, absl::Time now) {
  const bool begins = action.kind == ActionKind::kAccept || action.kind == ActionKind::kStart;
  if (draining_ && begins) return;
  switch (action.kind) {
    case ActionKind::kAccept: Accept(action); break;
    case ActionKind::kStart: Start(action, now); break;
    case ActionKind::kDrain:
    case ActionKind::kKill: Stop(action, now); break;
    case ActionKind::kForget: Forget(action.key); break;
    case ActionKind::kDeleteCheckpoint: Delete(action.deletion); break;
  }
}

void Agent::Accept(const Action& action) {
  HeldAttempt& attempt = held_[action.key];
  attempt.world_size = action.desired.world_size();
  for (const uint32_t rank : action.ranks) {
    outbox_.Add({action.key, rank});
    HeldRank& held = attempt.ranks[rank];
    for (const v1::RankAssignment& assignment : action.desired.ranks()) {
      if (assignment.rank() == rank) held.slot = assignment.slot();
    }
  }
}

void Agent::Start(const Action& action, absl::Time now) {
  Accept(action);
  HeldAttempt& attempt = held_[action.key];
  const absl::Status started = StartRanks(action, &attempt);
  if (!started.ok()) FailLaunch(action.key, started, now);
}

absl::Status Agent::StartRanks(const Action& action, HeldAttempt* attempt) {
  if (attempt->world_size > 1 && attempt->rendezvous_port == 0) {
    attempt->rendezvous_host = action.desired.rendezvous_host();
    attempt->rendezvous_port = action.desired.rendezvous_port();
    if (attempt->rendezvous_port == 0) {  // Rank 0 is here: this worker chooses.
      attempt->rendezvous_host = settings_.launch.data_address;
      DDL_ASSIGN_OR_RETURN(attempt->rendezvous_port,
                           ranks_.FreePort(settings_.launch.data_address));
    }
  }
  for (const uint32_t rank : action.ranks) {
    DDL_ASSIGN_OR_RETURN(const v1::RankLaunch launch,
                         MakeLaunch(action.desired, rank, attempt->rendezvous_host,
                                    attempt->rendezvous_port, settings_.launch));
    DDL_ASSIGN_OR_RETURN(const ProcessIdentity process, ranks_.StartRank(launch));
    attempt->ranks[rank].process = process;
    Say(action.key, absl::StrCat("rank ", rank, " started as process ", process.pid));
  }
  return absl::OkStatus();
}

void Agent::FailLaunch(const AttemptKey& key, const absl::Status& status, absl::Time now) {
  HeldAttempt& attempt = held_[key];
  attempt.launch_error = std::string(status.message());
  Say(key, absl::StrCat("cannot start: ", attempt.launch_error));
  for (auto& [number, rank] : attempt.ranks) {
    if (rank.process.pid != 0) {
      ranks_.Signal(rank.process, StopSignal::kKill);
    } else {
      EndRank({key, number}, v1::EXIT_CLASS_INFRASTRUCTURE, -1, attempt.launch_error, &rank, now);
    }
  }
}

void Agent::Stop(const Action& action, absl::Time now) {
  const auto found = held_.find(action.key);
  if (found == held_.end()) return;
  for (const uint32_t number : action.ranks) {
    StopRank({action.key, number}, action, &found->second.ranks[number], now);
  }
}

void Agent::StopRank(const RankKey& key, const Action& action, HeldRank* rank, absl::Time now) {
  if (rank->process.pid == 0) {
    EndRank(key, v1::EXIT_CLASS_PREEMPTED, -1, "stopped before it was started", rank, now);
    return;
  }
  if (action.kind == ActionKind::kKill) {
    ranks_.Signal(rank->process, StopSignal::kKill);
    return;
  }
  ranks_.Signal(rank->process, StopSignal::kTerminate);
  rank->draining_since = now;
  rank->grace = action.grace;
}

void Agent::Forget(const AttemptKey& key) {
  outbox_.Remove(key);
  ranks_.Forget(key);
  held_.erase(key);
}

void Agent::Delete(const v1::CheckpointDeletion& deletion) {
  const absl::Status deleted = ranks_.DeleteCheckpoint(deletion);
  if (deleted.ok()) {
    outbox_.ConfirmDeletion(deletion);
  } else {
    Say({deletion.run(), 0}, absl::StrCat("cannot delete checkpoint ", Quoted(deletion.folder()),
                                          ": ", deleted.message()));
  }
}

void Agent::Poll(absl::Time now) {
  for (const Action& action : OverdueDrains(held_, now)) Perform(action, now);
  for (auto& [key, attempt] : held_) {
    for (auto& [number, rank] : attempt.ranks) PollRank({key, number}, &rank, now);
  }
}

void Agent::PollRank(const RankKey& key, HeldRank* rank, absl::Time now) {
  if (rank->state == v1::RANK_STATE_EXITED) return;
  // First the process, then the spool: what a rank wrote before its end is read before the end.
  if (!rank->gone && rank->process.pid != 0) {
    if (const std::optional<ProcessEnd> end = ranks_.Ended(rank->process)) {
      EndRank(key, v1::EXIT_CLASS_INFRASTRUCTURE, ExitCodeOf(*end), Describe(*end), rank, now);
    }
  }
  ReadSpool(key, rank);
  const Outbox::Position at = outbox_.position(key);
  if (at.started) rank->state = v1::RANK_STATE_RUNNING;
  if (at.ended) {
    rank->state = v1::RANK_STATE_EXITED;
    Say(key.attempt, absl::StrCat("rank ", key.rank, " ended at step ", at.last_step));
  }
}

void Agent::ReadSpool(const RankKey& key, HeldRank* rank) {
  const bool was_damaged = outbox_.position(key).damaged;
  for (int i = 0; i < kReadsPerPoll; ++i) {
    const absl::StatusOr<bool> more = outbox_.Observe(key);
    if (!more.ok()) {
      if (!was_damaged) Say(key.attempt, std::string(more.status().message()));
      if (absl::IsDataLoss(more.status()) && !rank->gone) {
        ranks_.Signal(rank->process, StopSignal::kKill);
      }
      return;
    }
    if (!*more) return;
  }
}

void Agent::EndRank(const RankKey& key, v1::ExitClass exit_class, int exit_code,
                    const std::string& message, HeldRank* rank, absl::Time now) {
  rank->gone = true;
  v1::RankExited exit;
  exit.set_class_(exit_class);
  exit.set_exit_code(exit_code);
  exit.set_message(message);
  outbox_.End(key, exit, now);
}

std::optional<OutboxCall> Agent::NextCall() {
  if (!registered_) return std::nullopt;
  return outbox_.Next();
}

void Agent::OnReport(const RankKey& rank, const absl::Status& status,
                     const v1::ReportEventsResponse& response) {
  if (absl::IsAborted(status)) {
    Say(rank.attempt, absl::StrCat("fenced: ", status.message(), "; its events are dropped"));
  }
  outbox_.OnReport(rank, status, response);
}

void Agent::OnCommit(const RankKey& rank, const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) {
    Say(rank.attempt, absl::StrCat("checkpoint refused: ", status.message()));
  }
  outbox_.OnCommit(rank, status);
}

void Agent::Say(const AttemptKey& key, std::string text) {
  notices_.push_back({key, std::move(text)});
}

std::vector<AgentNotice> Agent::TakeNotices() { return std::exchange(notices_, {}); }

}  // namespace ddl::agent
