#include "coordinator/service/read_logs.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status.h"
#include "coordinator/core/selector.h"

namespace ddl::coordinator {
namespace {

constexpr absl::Duration kStatePeriod = absl::Milliseconds(500);
constexpr absl::Duration kPatienceAfterEnd = absl::Seconds(5);

// The logs that may exist now.
struct LogsOfRun {
  struct Log {
    uint32_t attempt = 0;
    LogKey key;
  };
  std::vector<Log> logs;
  bool ended = false;
};

absl::StatusOr<LogsOfRun> FindLogs(const Sequencer& sequencer, const v1::ReadLogsRequest& request) {
  const State& state = sequencer.core().state();
  DDL_ASSIGN_OR_RETURN(const std::string id, ResolveRun(state, request.run()));
  const v1::RunRecord& run = *FindRun(state, id);
  LogsOfRun found;
  found.ended = HasEnded(run.state());
  const uint32_t world = run.spec().parallel().ranks();
  for (const uint32_t rank : request.ranks()) {
    if (rank >= world) {
      return absl::NotFoundError(
          absl::StrCat("run ", id, " has no rank ", rank, ": it has ", world));
    }
  }
  for (const v1::AttemptRecord& attempt : run.attempts()) {
    for (const v1::RankRecord& rank : attempt.ranks()) {
      const bool wanted = request.ranks().empty() ||
                          std::find(request.ranks().begin(), request.ranks().end(), rank.rank()) !=
                              request.ranks().end();
      if (wanted) found.logs.push_back({attempt.attempt(), {id, attempt.epoch(), rank.rank()}});
    }
  }
  return found;
}

class Reading {
 public:
  Reading(const v1::ReadLogsRequest& request, const LogStore& logs,
          const std::function<absl::Status(const v1::LogChunk&)>& send)
      : logs_(logs), send_(send) {
    for (const v1::LogPosition& position : request.after()) {
      offsets_[{position.epoch(), position.rank()}] = position.offset();
    }
  }

  // Sends all that is new of one log; `moved` becomes true when that is something.
  absl::Status Catch(const LogsOfRun::Log& log, bool* moved) {
    uint64_t& offset = offsets_[{log.key.epoch, log.key.rank}];
    for (;;) {
      DDL_ASSIGN_OR_RETURN(std::string bytes, logs_.Read(log.key, offset, kLogChunkBytes));
      if (bytes.empty()) return absl::OkStatus();
      v1::LogChunk chunk;
      chunk.set_attempt(log.attempt);
      chunk.set_epoch(log.key.epoch);
      chunk.set_rank(log.key.rank);
      chunk.set_offset(offset);
      offset += bytes.size();
      chunk.set_data(std::move(bytes));
      DDL_RETURN_IF_ERROR(send_(chunk));
      *moved = true;
    }
  }

 private:
  const LogStore& logs_;
  const std::function<absl::Status(const v1::LogChunk&)>& send_;
  std::map<std::pair<uint64_t, uint32_t>, uint64_t> offsets_;  // By epoch and rank.
};

}  // namespace

absl::Status ReadLogs(const v1::ReadLogsRequest& request, absl::Time deadline, CommitLoop* loop,
                      const LogStore& logs,
                      const std::function<absl::Status(const v1::LogChunk&)>& send) {
  Reading reading(request, logs, send);
  absl::Time last_news = absl::Now();
  for (;;) {
    // Asked for before the logs are read: what comes after that wakes the wait.
    const uint64_t version = logs.version();
    DDL_ASSIGN_OR_RETURN(const LogsOfRun run,
                         loop->Read<LogsOfRun>(deadline, [request](const Sequencer& sequencer) {
                           return FindLogs(sequencer, request);
                         }));
    const bool complete = std::all_of(run.logs.begin(), run.logs.end(),
                                      [&](const auto& log) { return logs.IsComplete(log.key); });
    bool moved = false;
    for (const LogsOfRun::Log& log : run.logs) {
      DDL_RETURN_IF_ERROR(reading.Catch(log, &moved));
    }
    if (!request.follow()) return absl::OkStatus();
    if (moved || !run.ended) last_news = absl::Now();
    const bool given_up = absl::Now() - last_news > kPatienceAfterEnd;
    if (run.ended && (complete || given_up)) return absl::OkStatus();
    logs.WaitBeyond(version, std::min(deadline, absl::Now() + kStatePeriod));
    if (loop->feed().closed()) return absl::UnavailableError("the coordinator is ending");
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError("the reading of logs reached its deadline");
    }
  }
}

}  // namespace ddl::coordinator
