// Starts the real ddl-rank on a small model and a small text, and reads what it left behind.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/launch.pb.h"
#include "tests/common/scratch_folder.h"

namespace ddl {

// A run of about 80 steps of half a second in all, with a checkpoint every 10 steps and a
// validation every 20.
class RankRun {
 public:
  RankRun();

  // launch.pb of one rank of an attempt; callers change it before they start it.
  v1::RankLaunch Launch(uint64_t epoch, uint32_t rank = 0) const;
  std::string CheckpointRoot() const { return folder_ / "checkpoints"; }
  std::string DataFolder() const { return folder_ / "text"; }
  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
  std::string manifest_sha256_;
};

class RankProcess {
 public:
  explicit RankProcess(const v1::RankLaunch& launch);  // Starts it.
  ~RankProcess();                                      // Kills it.
  RankProcess(const RankProcess&) = delete;
  RankProcess& operator=(const RankProcess&) = delete;

  void Signal(int signal) const;
  int Wait();  // Its exit code; 128 + signal when a signal ended it.
  // Waits until its spool satisfies `condition`; fails the test if it ends before that.
  void WaitUntil(const std::function<bool(const std::vector<v1::RankEvent>&)>& condition);

  std::vector<v1::RankEvent> Events() const;  // Whole records so far.
  std::string Log() const;

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

// Sums over a spool.
int64_t LastStep(const std::vector<v1::RankEvent>& events);
std::vector<v1::CheckpointPrepared> Prepared(const std::vector<v1::RankEvent>& events);
const v1::RankExited& Exit(const std::vector<v1::RankEvent>& events);  // The last event.

// "<series> <step> <value's bits>" of losses, norms and gates: all that must repeat bit for bit.
std::vector<std::string> ExactPoints(const std::vector<v1::RankEvent>& events, int64_t above_step);

// Lets `launch` resume from what `prepared` says, newest first.
void AddCheckpoints(const std::vector<v1::CheckpointPrepared>& prepared, uint64_t epoch,
                    v1::RankLaunch* launch);

// The digest that the log's last line ends with.
std::string ParametersSha256(const std::string& log);

// A port that was free a moment ago.
uint32_t FreePort();

}  // namespace ddl
