#include "coordinator/core/lineage.h"

#include <algorithm>
#include <limits>
#include <map>

namespace ddl::coordinator {
namespace {

// For each epoch, the last step that counts. An attempt whose rank 0 never started has replaced
// nothing.
std::map<uint64_t, int64_t> LastStepThatCounts(const v1::RunRecord& run) {
  std::map<uint64_t, int64_t> last;
  int64_t bound = std::numeric_limits<int64_t>::max();
  for (int i = run.attempts_size() - 1; i >= 0; --i) {
    const v1::AttemptRecord& attempt = run.attempts(i);
    last[attempt.epoch()] = bound;
    if (attempt.has_rank_zero()) bound = std::min(bound, attempt.rank_zero().resumed_step());
  }
  return last;
}

std::vector<const v1::CheckpointRecord*> Committed(const v1::RunRecord& run, bool on_lineage) {
  const std::map<uint64_t, int64_t> last = LastStepThatCounts(run);
  std::vector<const v1::CheckpointRecord*> found;
  for (const v1::CheckpointRecord& checkpoint : run.checkpoints()) {
    if (checkpoint.state() != v1::CHECKPOINT_STATE_COMMITTED) continue;
    const auto bound = last.find(checkpoint.epoch());
    const bool counts = bound != last.end() && checkpoint.step() <= bound->second;
    if (counts == on_lineage) found.push_back(&checkpoint);
  }
  return found;
}

bool MayBeRestoring(const v1::RunRecord& run) {
  const v1::AttemptRecord* live = LiveAttempt(run);
  return live != nullptr && std::any_of(live->ranks().begin(), live->ranks().end(),
                                        [](const auto& rank) { return !rank.started(); });
}

}  // namespace

std::vector<const v1::CheckpointRecord*> Restorable(const v1::RunRecord& run) {
  std::vector<const v1::CheckpointRecord*> found = Committed(run, /*on_lineage=*/true);
  std::stable_sort(found.begin(), found.end(), [](const auto* a, const auto* b) {
    return a->epoch() != b->epoch() ? a->epoch() > b->epoch() : a->step() > b->step();
  });
  return found;
}

std::vector<const v1::CheckpointRecord*> Superfluous(const v1::RunRecord& run) {
  if (run.checkpoints().empty()) return {};
  if (MayBeRestoring(run)) return {};
  std::vector<const v1::CheckpointRecord*> found = Committed(run, /*on_lineage=*/false);
  const std::vector<const v1::CheckpointRecord*> kept = Restorable(run);
  const size_t keep_last = run.spec().checkpoint().keep_last();
  for (size_t i = keep_last; i < kept.size(); ++i) found.push_back(kept[i]);
  return found;
}

Lineage LineageOf(const v1::RunRecord& run) {
  Lineage lineage;
  for (const auto& [epoch, step] : LastStepThatCounts(run)) {
    if (step != std::numeric_limits<int64_t>::max()) lineage.superseded_after[epoch] = step;
  }
  return lineage;
}

}  // namespace ddl::coordinator
