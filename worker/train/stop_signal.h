// The two ways to ask a rank to stop at its next step boundary: SIGTERM (or SIGINT), and a lease
// that the worker daemon has not renewed for too long.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace ddl {

// SIGTERM and SIGINT set a flag from now on instead of ending the process.
void CatchStopSignals();
bool StopSignalled();

class Lease {
 public:
  // An empty `file` never expires. A file that is not there counts from `start`.
  Lease(std::string file, absl::Duration time_to_live, absl::Time start);

  // Whether the file was last touched more than the time to live before `now`.
  bool Expired(absl::Time now) const;

 private:
  std::string file_;
  absl::Duration time_to_live_;
  absl::Time start_;
};

}  // namespace ddl
