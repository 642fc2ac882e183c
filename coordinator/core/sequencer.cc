#include "coordinator/core/sequencer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "coordinator/core/decide.h"
#include "coordinator/core/sequencer_inner.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kCachedCursors = 65'536;
constexpr size_t kCachedRuns = 1'024;

template <typename T>
void SortOnce(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

}  // namespace

bool Transaction::empty() const {
  return events.empty() && metrics.empty() && cursors.empty() && replies.empty();
}

absl::StatusOr<Core> ReplayJournal(Store* store, const CoreSettings& settings) {
  absl::StatusOr<Recovery> recovery = store->Recover();
  if (!recovery.ok()) return recovery.status();
  Core core(settings);
  if (!recovery->snapshot.empty()) {
    absl::StatusOr<Core> restored = Core::Restore(recovery->snapshot, settings);
    if (!restored.ok()) return restored.status();
    core = *std::move(restored);
  }
  uint64_t seq = recovery->snapshot_seq;
  for (const std::string& bytes : recovery->events) {
    ++seq;
    v1::Event event;
    if (!event.ParseFromString(bytes)) {
      return absl::DataLossError(absl::StrCat("journal record ", seq, " is not readable"));
    }
    const absl::StatusOr<Effects> effects = core.Apply(event);
    if (!effects.ok()) {
      return absl::DataLossError(
          absl::StrCat("journal record ", seq, " does not replay: ", effects.status().message()));
    }
  }
  return core;
}

absl::StatusOr<Sequencer> Sequencer::Recover(Store* store, const SequencerSettings& settings,
                                             const Caller& caller) {
  absl::StatusOr<Core> core = ReplayJournal(store, settings.core);
  if (!core.ok()) return core.status();
  const uint64_t recovered = core->state().version;
  auto inner = std::make_unique<Inner>(store, settings, *std::move(core), caller.uptime);
  inner->committed_version = recovered;
  v1::Event event = inner->Envelope(caller, /*by_caller=*/false);
  const State& state = inner->core.state();
  event.set_term(state.term + 1);
  v1::TermStarted* fact = event.mutable_term_started();
  fact->set_term(state.term + 1);
  fact->set_cluster_id(state.cluster_id.empty()
                           ? absl::StrCat(absl::Hex(caller.entropy, absl::kZeroPad16))
                           : state.cluster_id);
  inner->MustRecord(event);
  return Sequencer(std::move(inner));
}

Sequencer::Sequencer(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Sequencer::Sequencer(Sequencer&&) noexcept = default;
Sequencer& Sequencer::operator=(Sequencer&&) noexcept = default;
Sequencer::~Sequencer() = default;

void Sequencer::Tick(const Caller& caller) {
  if (inner_->disk_full) return;
  std::vector<v1::Event> facts;
  for (const auto& [name, worker] : inner_->core.state().workers) {
    const v1::WorkerState to = inner_->liveness.Judge(name, worker.state(), caller.uptime);
    if (to == worker.state()) continue;
    facts.push_back(inner_->Envelope(caller, /*by_caller=*/false));
    facts.back().mutable_worker_state_changed()->set_name(name);
    facts.back().mutable_worker_state_changed()->set_state(to);
  }
  for (const v1::Event& fact : facts) inner_->MustRecord(fact);
  inner_->Settle(caller);
}

absl::Status Sequencer::Flush() {
  Inner& self = *inner_;
  Transaction& open = self.open;
  for (const auto& [key, seq] : self.open_cursors) {
    open.cursors.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), seq});
  }
  for (const auto& [key, reply] : self.open_replies) open.replies.push_back(reply);
  if (!open.empty()) {
    const absl::Status status = self.store.Commit(open);
    if (!status.ok()) {
      open.cursors.clear();
      open.replies.clear();
      self.disk_full = absl::IsResourceExhausted(status);
      return status;
    }
  }
  open = Transaction();
  self.open_cursors.clear();
  self.open_replies.clear();
  self.disk_full = false;
  self.committed_version = self.core.state().version;
  if (self.applied.size() > kCachedCursors) self.applied.clear();
  if (self.series.size() > kCachedRuns) self.series.clear();
  if (self.events_since_snapshot >= self.settings.events_per_snapshot) {
    const absl::Status status =
        self.store.WriteSnapshot(self.store.JournalSeq(), self.core.Snapshot());
    // Without room for a snapshot the journal is whole all the same; the next Flush tries again.
    if (absl::IsResourceExhausted(status)) return absl::OkStatus();
    if (!status.ok()) return status;
    self.events_since_snapshot = 0;
  }
  return absl::OkStatus();
}

uint64_t Sequencer::committed_version() const { return inner_->committed_version; }

const Core& Sequencer::core() const { return inner_->core; }

const WorkerPulse* Sequencer::Pulse(const std::string& worker) const {
  const auto it = inner_->pulses.find(worker);
  return it == inner_->pulses.end() ? nullptr : &it->second;
}

Effects Sequencer::TakeChanges() {
  SortOnce(&inner_->changes.changed_runs);
  SortOnce(&inner_->changes.changed_experiments);
  return std::exchange(inner_->changes, Effects());
}

uint64_t Sequencer::dropped_samples() const { return inner_->dropped_samples; }

}  // namespace ddl::coordinator
