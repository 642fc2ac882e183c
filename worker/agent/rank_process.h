// Starts a rank: its own session, a fixed argument list, an allow-listed environment, no input, and
// output into a file. Nothing ties it to the daemon: it outlives the daemon's end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddl::agent {

struct RankCommand {
  std::string program;                   // Absolute.
  std::vector<std::string> arguments;    // Without the program.
  std::vector<std::string> environment;  // NAME=value, all of it.
  std::string folder;                    // Current folder of the process.
  std::string log;                       // Appended to.
};

// A rank's environment out of this process's own: RankEnvironment of common/rank_environment.h.
std::vector<std::string> OwnEnvironment(uint32_t threads);

// Starts a process that waits until `record`, given its pid, has returned OK, and only then becomes
// `command`. When `record` fails, or this process dies first, it ends without having run. Returns
// the pid.
absl::StatusOr<int32_t> SpawnRank(const RankCommand& command,
                                  const std::function<absl::Status(int32_t pid)>& record);

}  // namespace ddl::agent
