// What a worker holds: attempts of runs, each with those of its ranks that live on this host.
//
// Plain values; the agent (agent.h) owns them, reconcile.h and adoption.h compute with them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "proto/ddl/v1/workers.pb.h"

namespace ddl::agent {

// One placement of a run. `epoch` only rises within a run.
struct AttemptKey {
  std::string run;
  uint64_t epoch = 0;
  friend bool operator==(const AttemptKey&, const AttemptKey&) = default;
  friend bool operator<(const AttemptKey& a, const AttemptKey& b) {
    return std::tie(a.run, a.epoch) < std::tie(b.run, b.epoch);
  }
};

struct RankKey {
  AttemptKey attempt;
  uint32_t rank = 0;
  friend bool operator==(const RankKey&, const RankKey&) = default;
  friend bool operator<(const RankKey& a, const RankKey& b) {
    return std::tie(a.attempt, a.rank) < std::tie(b.attempt, b.rank);
  }
};

// "k3v9x2mq/e4/r0": for messages, and the rank's folder below `runs`.
std::string ToString(const AttemptKey& key);
std::string ToString(const RankKey& key);

// Names one process for ever: a pid alone is reused. `start_ticks` is field 22 of /proc/PID/stat.
struct ProcessIdentity {
  int32_t pid = 0;  // 0: not started.
  uint64_t start_ticks = 0;
  std::string boot_id;
  bool operator==(const ProcessIdentity&) const = default;
};

// How a process ended, as far as this host can know. Both fields are empty when the process was not
// this daemon's child, as after an adoption.
struct ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
};

struct HeldRank {
  uint32_t slot = 0;
  v1::RankState state = v1::RANK_STATE_LAUNCHING;
  ProcessIdentity process;
  bool gone = false;                         // The process has ended; the spool may hold more.
  std::optional<absl::Time> draining_since;  // SIGTERM was sent, and may not be withdrawn.
  absl::Duration grace;                      // From then until SIGKILL.
};

struct HeldAttempt {
  uint32_t world_size = 1;
  std::map<uint32_t, HeldRank> ranks;  // Of this worker, by rank.
  std::string rendezvous_host;
  uint32_t rendezvous_port = 0;
  std::string launch_error;  // Why ranks could not be started; empty otherwise.
};

using HeldAttempts = std::map<AttemptKey, HeldAttempt>;

// No process is left and the spools were read to their ends.
bool AllExited(const HeldAttempt& attempt);

}  // namespace ddl::agent
