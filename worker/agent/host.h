// What the agent needs of its host. The daemon implements these interfaces over Linux
// (linux_host.h, file_spools.h), the simulator over its model of the world.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/launch.pb.h"
#include "worker/agent/attempt.h"

namespace ddl::agent {

enum class StopSignal { kTerminate, kKill };  // SIGTERM, SIGKILL.

// The kernel's view of processes.
class ProcessTable {
 public:
  virtual ~ProcessTable() = default;
  // Changes with each boot of the host.
  virtual std::string BootId() = 0;
  // Start time of the live process `pid`; nullopt when there is none or only its exit status is
  // left.
  virtual std::optional<uint64_t> StartTicks(int32_t pid) = 0;
};

// A rank folder of this worker, as found at the daemon's start.
struct FoundRank {
  RankKey key;
  v1::RankLaunch launch;
  // Recorded before the rank may run; nullopt when the daemon died earlier than that, and then the
  // rank has never run.
  std::optional<ProcessIdentity> process;
};

// Starts, signals and watches ranks, and keeps their folders.
class RankHost {
 public:
  virtual ~RankHost() = default;

  // Writes the rank's launch file, records the process and only then lets it run. kAlreadyExists
  // when a process was ever recorded for this rank: a rank of an attempt is started at most once.
  virtual absl::StatusOr<ProcessIdentity> StartRank(const v1::RankLaunch& launch) = 0;
  // Reaches exactly this process or none.
  virtual void Signal(const ProcessIdentity& process, StopSignal signal) = 0;
  // nullopt while the process lives. After its end every answer is an end.
  virtual std::optional<ProcessEnd> Ended(const ProcessIdentity& process) = 0;
  // A port that is free on `address` now.
  virtual absl::StatusOr<uint32_t> FreePort(const std::string& address) = 0;
  // All rank folders, without those of forgotten attempts.
  virtual absl::StatusOr<std::vector<FoundRank>> FindRanks() = 0;
  // The attempt's folders are not found again, and go after a while.
  virtual void Forget(const AttemptKey& attempt) = 0;
  // OK when the folder is gone, also when it was before.
  virtual absl::Status DeleteCheckpoint(const v1::CheckpointDeletion& deletion) = 0;
};

struct ReadLimits {
  int events = 1000;
  int64_t bytes = 3 << 20;  // Of serialized events; the first event is returned whatever its size.
};

// The spools of this worker's ranks.
class SpoolSource {
 public:
  virtual ~SpoolSource() = default;
  // Whole events with seq > `after_seq`, in order, within `limits`; none when the spool holds no
  // more at this moment or does not exist yet. kDataLoss, with the place, for a damaged record or a
  // gap, and only when no whole event comes before it.
  virtual absl::StatusOr<std::vector<v1::RankEvent>> Read(const RankKey& rank, uint64_t after_seq,
                                                          const ReadLimits& limits) = 0;
};

}  // namespace ddl::agent
