// Which workers are alive, judged by when they were last heard: READY -> SUSPECT -> LOST.
//
// Liveness saves work, never safety: epochs do that. Times are of a clock that never jumps
// (CLOCK_BOOTTIME), passed in. After a restart nothing has been heard; until the adoption window
// ends, silence is no sign of loss.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/core/state.h"

namespace ddl::coordinator {

struct LivenessSettings {
  absl::Duration suspect_after = absl::Seconds(10);
  absl::Duration lost_after = absl::Seconds(30);
  absl::Duration adoption_window = absl::Seconds(60);
};

class Liveness {
 public:
  Liveness(const LivenessSettings& settings, absl::Duration started)
      : settings_(settings), started_(started) {}

  void Heard(const std::string& worker, absl::Duration uptime);
  // Whether it was heard so recently that it cannot be suspected.
  bool IsFresh(const std::string& worker, absl::Duration uptime) const;
  // State that silence (or its end) gives to a worker that is in `state` now.
  v1::WorkerState Judge(const std::string& worker, v1::WorkerState state,
                        absl::Duration uptime) const;

 private:
  LivenessSettings settings_;
  absl::Duration started_;
  std::map<std::string, absl::Duration> heard_;
};

}  // namespace ddl::coordinator
