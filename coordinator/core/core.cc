#include "coordinator/core/core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/change.h"
#include "coordinator/core/decide.h"

namespace ddl::coordinator {
namespace {

template <typename T>
void SortOnce(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

absl::Status CheckTerm(const State& state, const v1::Event& event) {
  const bool opens = event.fact_case() == v1::Event::kTermStarted;
  const uint64_t expected = opens ? state.term + 1 : state.term;
  if (event.term() == expected && expected > 0) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("an event of term ", event.term(), " cannot follow term ", state.term));
}

absl::Status Dispatch(Change& change) {
  const v1::Event& event = change.event;
  switch (event.fact_case()) {
    case v1::Event::kTermStarted: return ApplyFact(change, event.term_started());
    case v1::Event::kExperimentSubmitted: return ApplyFact(change, event.experiment_submitted());
    case v1::Event::kRunCreated: return ApplyFact(change, event.run_created());
    case v1::Event::kExperimentHalted: return ApplyFact(change, event.experiment_halted());
    case v1::Event::kRunCanceled: return ApplyFact(change, event.run_canceled());
    case v1::Event::kRunPauseRequested: return ApplyFact(change, event.run_pause_requested());
    case v1::Event::kRunResumed: return ApplyFact(change, event.run_resumed());
    case v1::Event::kRunBackoffEnded: return ApplyFact(change, event.run_backoff_ended());
    case v1::Event::kWorkerRegistered: return ApplyFact(change, event.worker_registered());
    case v1::Event::kWorkerStateChanged: return ApplyFact(change, event.worker_state_changed());
    case v1::Event::kWorkerReported: return ApplyFact(change, event.worker_reported());
    case v1::Event::kAttemptPlaced: return ApplyFact(change, event.attempt_placed());
    case v1::Event::kRankObserved: return ApplyFact(change, event.rank_observed());
    case v1::Event::kRankSettled: return ApplyFact(change, event.rank_settled());
    case v1::Event::kRankEventApplied: return ApplyFact(change, event.rank_event_applied());
    case v1::Event::kRendezvousChosen: return ApplyFact(change, event.rendezvous_chosen());
    case v1::Event::kCheckpointCommitted: return ApplyFact(change, event.checkpoint_committed());
    case v1::Event::kCheckpointRetired: return ApplyFact(change, event.checkpoint_retired());
    case v1::Event::kCheckpointDeleted: return ApplyFact(change, event.checkpoint_deleted());
    case v1::Event::kAttemptFenced: return ApplyFact(change, event.attempt_fenced());
    case v1::Event::kSlotReleased: return ApplyFact(change, event.slot_released());
    case v1::Event::FACT_NOT_SET: break;
  }
  return absl::InvalidArgumentError("an event without a fact that this version knows");
}

}  // namespace

absl::StatusOr<Effects> Core::Apply(const v1::Event& event) {
  absl::Status status = CheckTerm(state_, event);
  if (!status.ok()) return status;
  Effects effects;
  Change change{state_, event, settings_, effects};
  status = Dispatch(change);
  if (!status.ok()) return status;
  ++state_.version;
  effects.changed = true;
  SortOnce(&effects.changed_runs);
  SortOnce(&effects.changed_experiments);
  return effects;
}

std::vector<v1::Event> Core::Decide(absl::Time now, uint64_t entropy) const {
  return DecideFacts(state_, settings_, now, entropy);
}

}  // namespace ddl::coordinator
