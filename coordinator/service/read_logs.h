// ReadLogs: what the coordinator has of the logs of a run's ranks, then what is added.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/log_store.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

inline constexpr uint64_t kLogChunkBytes = 64 * 1024;
inline constexpr int kMaxLogReaders = 32;  // Each holds one of the server's threads.

// Sends chunks, attempt after attempt and rank after rank, until the present end, or with `follow`
// until the run has ended and its logs are complete, `send` gives an error (which is returned), the
// deadline comes (kDeadlineExceeded) or the coordinator ends (kUnavailable: go on from the
// positions reached). A log that is not complete five seconds after the run's end is given up: its
// worker is gone. kNotFound for a run or rank that is not there.
absl::Status ReadLogs(const v1::ReadLogsRequest& request, absl::Time deadline, CommitLoop* loop,
                      const LogStore& logs,
                      const std::function<absl::Status(const v1::LogChunk&)>& send);

}  // namespace ddl::coordinator
