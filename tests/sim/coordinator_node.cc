#include "tests/sim/coordinator_node.h"

#include "absl/strings/str_cat.h"

namespace ddl::sim {

CoordinatorNode::CoordinatorNode(EventQueue* queue, Random* random, Tally* tally)
    : queue_(*queue), random_(*random), tally_(*tally) {}

coordinator::SequencerSettings CoordinatorNode::Settings() const {
  coordinator::SequencerSettings settings;
  settings.events_per_snapshot = 200;
  settings.drain_grace = absl::Seconds(20);
  settings.core.live_runs_per_sweep = 4;
  return settings;
}

coordinator::Caller CoordinatorNode::MakeCaller(const std::string& principal) {
  coordinator::Caller caller;
  caller.principal = principal;
  caller.now = absl::FromUnixSeconds(1'760'000'000) + queue_.now() + clock_offset_;
  caller.uptime = absl::Hours(5) + queue_.now();
  caller.entropy = random_.Bits();
  return caller;
}

void CoordinatorNode::Start() {
  absl::StatusOr<Sequencer> recovered = Sequencer::Recover(&disk_, Settings(), MakeCaller(""));
  if (!recovered.ok()) {
    tally_.Break(absl::StrCat("the journal does not recover: ", recovered.status().message()));
    return;
  }
  sequencer_.emplace(*std::move(recovered));
  const uint64_t term = sequencer_->core().state().term;
  if (term <= durable_term_) {
    tally_.Break(absl::StrCat("term ", term, " follows term ", durable_term_));
  }
  tally_.Trace("start ", term, " ", sequencer_->core().state().version);
  const uint64_t incarnation = ++incarnation_;
  // No call is served before the term is durable.
  Flush();
  queue_.After(absl::Milliseconds(500), [this, incarnation] { Tick(incarnation); });
}

void CoordinatorNode::Changed() {
  const coordinator::Effects effects = sequencer_->TakeChanges();
  for (const auto& transition : effects.transitions) tally_.Count(transition);
  if (on_change) on_change(sequencer_->core(), effects);
}

void CoordinatorNode::Serve(const std::string& principal, const Request& request,
                            const Respond& respond) {
  if (!up()) {
    respond(absl::UnavailableError("connection refused"));
    return;
  }
  Answer answer = request(&*sequencer_, MakeCaller(principal));
  tally_.Trace("serve ", principal, " ", static_cast<int>(answer.status().code()), " ",
               sequencer_->core().state().version);
  Changed();
  waiting_.emplace_back(respond, std::move(answer));
  PlanFlush();
}

void CoordinatorNode::PlanFlush() {
  if (flush_planned_) return;
  flush_planned_ = true;
  const uint64_t incarnation = incarnation_;
  queue_.After(random_.Millis(0, 15), [this, incarnation] {
    if (incarnation == incarnation_ && up()) Flush();
  });
}

void CoordinatorNode::Flush() {
  flush_planned_ = false;
  const bool dirty = sequencer_->committed_version() < sequencer_->core().state().version;
  if (crash_in_commit_ && dirty) {
    Crash();
    return;
  }
  const absl::Status status = sequencer_->Flush();
  if (!status.ok() && !absl::IsResourceExhausted(status)) {
    tally_.Break(absl::StrCat("a commit failed: ", status.message()));
  }
  std::vector<std::pair<Respond, Answer>> waiting = std::exchange(waiting_, {});
  if (status.ok()) durable_term_ = sequencer_->core().state().term;
  if (status.ok() && on_commit) on_commit(sequencer_->core());
  for (auto& [respond, answer] : waiting) respond(status.ok() ? answer : Answer(status));
}

void CoordinatorNode::Tick(uint64_t incarnation) {
  if (incarnation != incarnation_ || !up()) return;
  sequencer_->Tick(MakeCaller(""));
  Changed();
  PlanFlush();
  queue_.After(absl::Milliseconds(500), [this, incarnation] { Tick(incarnation); });
}

void CoordinatorNode::Crash() {
  if (!up()) return;
  static constexpr Fault kFaults[] = {Fault::kCommitLost, Fault::kCommitTorn, Fault::kCommitKept};
  const uint64_t outcome = random_.Below(3);
  const std::string before = sequencer_->core().Hash();
  disk_.ArmCrash(static_cast<CrashOutcome>(outcome));
  if (sequencer_->Flush().ok()) {
    disk_.Disarm();  // Nothing was open: killed between two commits.
  } else {
    tally_.Count(kFaults[outcome]);
  }
  tally_.Count(Fault::kCoordinatorCrash);
  sequencer_.reset();
  waiting_.clear();
  flush_planned_ = false;
  crash_in_commit_ = false;
  ++incarnation_;
  CheckReplay(before);
  if (on_crash) on_crash();
}

void CoordinatorNode::CheckReplay(const std::string& expected) {
  absl::StatusOr<coordinator::Core> core =
      coordinator::ReplayJournal(&disk_, coordinator::CoreSettings(Settings().core));
  if (!core.ok()) {
    tally_.Break(absl::StrCat("the journal does not replay: ", core.status().message()));
    return;
  }
  for (const std::string& bytes : disk_.interrupted()) {
    v1::Event event;
    if (!event.ParseFromString(bytes) || !core->Apply(event).ok()) {
      tally_.Break("the interrupted transaction does not apply to the replayed state");
      return;
    }
  }
  if (core->Hash() != expected) {
    tally_.Break(absl::StrCat("replay gives state ", core->Hash(), ", memory had ", expected));
  }
  tally_.Trace("replay ", expected);
}

}  // namespace ddl::sim
