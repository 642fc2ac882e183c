// Where `ddl logs` reads: a run at the coordinator, or a run folder on this machine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/io.h"
#include "cli/log_lines.h"
#include "cli/verb.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::cli {

class LogSource {
 public:
  // `word` names a run folder or a run. `ranks`: those wanted, empty for all. `io` outlives it.
  static absl::StatusOr<std::unique_ptr<LogSource>> Open(const std::string& word,
                                                         const std::vector<uint32_t>& ranks,
                                                         const Arguments& arguments, Io& io);
  virtual ~LogSource() = default;

  using Take = std::function<absl::Status(const v1::LogChunk&)>;

  // Gives what was not given yet: what is there now, or with `follow` also what is added until the
  // run has ended, with `pause` called now and then. An error of `take` ends it and is returned.
  virtual absl::Status Read(bool follow, const Take& take,
                            const std::function<absl::Status()>& pause) = 0;
  // What happened to the run around its logs, as far as it was not given yet; in order of time.
  virtual absl::StatusOr<std::vector<LogEntry>> Events() = 0;
  virtual uint32_t world_size() const = 0;
};

}  // namespace ddl::cli
