// The deterministic state machine of the coordinator: Apply(event) -> effects.
//
// Pure: no clock, randomness, thread, SQL or RPC; times and entropy arrive as arguments or inside
// events. Two cores that applied the same events have equal snapshots and hashes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "coordinator/core/lifecycle.h"
#include "coordinator/core/state.h"
#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {

// Numbers that a core decides by. Values are the defaults of design.md.
struct CoreSettings {
  uint32_t live_runs_per_sweep = 1000;  // Of a sweep's trials, at most so many exist unended.
  uint32_t failures_to_exclude = 2;     // Of one worker for one run, infrastructure only.
  absl::Duration first_backoff = absl::Seconds(1);  // Doubles with every failure in a row.
  absl::Duration longest_backoff = absl::Seconds(60);
};

struct Effects {
  bool changed = false;
  std::vector<std::string> changed_runs;         // Sorted, each once.
  std::vector<std::string> changed_experiments;  // Sorted, each once.
  std::vector<Transition> transitions;           // In the order in which they happened.
};

class Core {
 public:
  explicit Core(CoreSettings settings = {}) : settings_(settings) {}

  // kInvalidArgument, kFailedPrecondition, kNotFound, kAborted (an older epoch or another term) or
  // kAlreadyExists for a fact that the state cannot take; the state is then untouched.
  absl::StatusOr<Effects> Apply(const v1::Event& event);

  // What the coordinator decides by itself now: trials of sweeps that are to exist, ended backoffs,
  // placements, checkpoints to delete. Each fact can be applied in this order; applying all and
  // deciding again soon yields nothing.
  std::vector<v1::Event> Decide(absl::Time now, uint64_t entropy) const;

  const State& state() const { return state_; }
  const CoreSettings& settings() const { return settings_; }

  std::string Snapshot() const;
  // kDataLoss for bytes that are not a snapshot of a known format.
  static absl::StatusOr<Core> Restore(absl::string_view snapshot, CoreSettings settings = {});
  // SHA-256 of Snapshot(), in hex.
  std::string Hash() const;

 private:
  CoreSettings settings_;
  State state_;
};

}  // namespace ddl::coordinator
