// What happened in a schedule: a digest of every event for reproducibility, counts of faults and
// transitions for coverage, and the first broken invariant.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "coordinator/core/lifecycle.h"

namespace ddl::sim {

enum class Fault {
  kMessageLost,
  kMessageDuplicated,
  kMessageDelayed,
  kMessageReordered,
  kPartitionFull,
  kPartitionUp,
  kPartitionDown,
  kCoordinatorCrash,
  kCommitLost,
  kCommitTorn,
  kCommitKept,
  kDiskFull,
  kClockJump,
  kDaemonCrash,
  kHostReboot,
  kSpoolTailLost,
  kLaunchFailed,
  kRankKilled,
  kRankUserFailure,
  kRankOutOfMemory,
  kRankTerminated,
  kRankHang,
  kCheckpointCorrupt,
  kCheckpointWriteFailed,
  kCount,
};

class Tally {
 public:
  void Count(Fault fault) { ++faults_[static_cast<int>(fault)]; }
  void Count(const coordinator::Transition& transition) { ++transitions_[transition]; }
  uint64_t faults() const {
    uint64_t sum = 0;
    for (const auto& [fault, count] : faults_) sum += count;
    return sum;
  }
  const std::map<int, uint64_t>& by_fault() const { return faults_; }
  const std::map<coordinator::Transition, uint64_t>& by_transition() const { return transitions_; }

  template <typename... Args>
  void Trace(const Args&... args) {
    trace_.Update(absl::StrCat(args..., "\n"));
  }
  std::string FinishTrace() { return trace_.FinishHex(); }

  // The first wins.
  void Break(std::string invariant) {
    if (broken_.empty()) broken_ = std::move(invariant);
  }
  const std::string& broken() const { return broken_; }

 private:
  std::map<int, uint64_t> faults_;
  std::map<coordinator::Transition, uint64_t> transitions_;
  Sha256 trace_;
  std::string broken_;
};

}  // namespace ddl::sim
