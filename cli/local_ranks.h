// The rank processes of `ddl local`: launch files, processes with the environment that a worker
// gives, and their end.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/io.h"
#include "proto/ddl/v1/launch.pb.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl::cli {

struct LocalRun {
  std::string id;
  v1::ExperimentSpec spec;  // Resolved.
  std::string folder;       // Absolute: r0, r1, ..., checkpoints, lease.
  std::string data_folder;  // Absolute.
  std::string device = "cpu";
};

// One launch for each rank. `rendezvous_port` is used when there are several.
std::vector<v1::RankLaunch> LaunchesOf(const LocalRun& run, uint32_t rendezvous_port);

// A TCP port that was free on 127.0.0.1 a moment ago.
absl::StatusOr<uint32_t> FreePort();

// Running ranks. They die with this process: it renews a lease that they watch.
class LocalRanks {
 public:
  // Writes the launch files and starts `program` for each. On an error none is left running.
  static absl::StatusOr<LocalRanks> Start(const LocalRun& run, const std::string& program,
                                          const Io& io);
  LocalRanks(LocalRanks&& other) noexcept;
  LocalRanks& operator=(LocalRanks&&) = delete;
  ~LocalRanks();  // SIGKILL to what still runs.

  // Waits until one ends, at most `limit`, and renews the lease. When one has failed the others,
  // which wait for it, are stopped.
  void Wait(absl::Duration limit);
  void Stop();  // SIGTERM: checkpoint, then exit code 75.
  bool AllEnded() const;
  // The first exit code that is not 0, or 0; 128 + signal for a killed rank.
  int exit_code() const { return exit_code_; }

 private:
  struct Rank {
    pid_t pid = 0;
    int pidfd = -1;
    bool ended = false;
  };
  explicit LocalRanks(std::string lease) : lease_(std::move(lease)) {}
  absl::Status Spawn(const v1::RankLaunch& launch, const std::string& program, const Io& io);
  void RenewLease();

  std::string lease_;
  absl::Time renewed_ = absl::InfinitePast();
  std::vector<Rank> ranks_;
  int exit_code_ = 0;
};

}  // namespace ddl::cli
