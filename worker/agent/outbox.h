// Delivers the spools of this worker's ranks: at least once to the coordinator, which applies each
// event (run, epoch, rank, seq) once.
//
// The spool is the outbox. Cursors live in memory only: after a restart the first reply says what
// is durable already. One call of a rank is under way at a time, so events keep their order. A
// prepared checkpoint is committed before the events behind it are sent, and an exit is the last
// event of its rank, so a run never ends before its checkpoints are known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/attempt.h"
#include "worker/agent/host.h"

namespace ddl::agent {

// A call that the outbox wants made. Its answer goes to OnReport or OnCommit with the same `rank`.
struct OutboxCall {
  RankKey rank;
  std::variant<v1::ReportEventsRequest, v1::CommitCheckpointRequest> request;
};

class Outbox {
 public:
  // `worker` and `session` go into every request. `spools` must outlive this.
  Outbox(std::string worker, std::string session, SpoolSource* spools)
      : worker_(std::move(worker)), session_(std::move(session)), spools_(*spools) {}

  // From now on the rank's events are delivered. Repeating it changes nothing.
  void Add(const RankKey& rank);
  // Drops the ranks of an attempt; a late answer for them changes nothing.
  void Remove(const AttemptKey& attempt);

  // Reads what the rank has spooled since the last call, at most `limits` of it. True when more may
  // be there. kDataLoss for a damaged spool: nothing more can come from this rank.
  absl::StatusOr<bool> Observe(const RankKey& rank, const ReadLimits& limits = {});
  // The rank's process is gone. Once the spool is read to its end without an exit in it, `exit`
  // becomes the rank's last event, numbered behind the spool's. The first call counts.
  void End(const RankKey& rank, const v1::RankExited& exit, absl::Time now);

  // The next call to make, of the rank that has waited longest; nullopt when there is nothing to
  // send that is not under way.
  std::optional<OutboxCall> Next();
  // Answers. Events up to `durable_seq` are not sent again unless a later answer says that the
  // coordinator has lost them. kAborted: the attempt is fenced, its events are dropped and counted.
  // kFailedPrecondition: the coordinator may have lost events; it is asked again from the first
  // one. Any other error: the same events are sent again.
  void OnReport(const RankKey& rank, const absl::Status& status,
                const v1::ReportEventsResponse& response);
  // As OnReport, but kInvalidArgument is a final answer about this checkpoint: it stays out of the
  // run and the events behind it follow.
  void OnCommit(const RankKey& rank, const absl::Status& status);

  // Another coordinator speaks, perhaps from an older state: each rank's next call asks how far its
  // events are durable, and what is missing there is sent again.
  void AskAgain();

  struct Position {
    uint64_t spool_seq = 0;      // The exit that End made included.
    uint64_t delivered_seq = 0;  // Acknowledged as durable.
    int64_t last_step = 0;
    bool started = false;  // The spool holds RankStarted.
    bool ended = false;    // End was called and the spool is read to its end.
    bool fenced = false;
    bool damaged = false;  // The spool cannot be read any further.
  };
  Position position(const RankKey& rank) const;

  // Confirms a checkpoint's deletion, in a report of its run with epoch 0 and without events. Lost
  // confirmations do no harm: the coordinator asks for the deletion again.
  void ConfirmDeletion(const v1::CheckpointDeletion& deletion);

  uint64_t dropped_points() const { return dropped_points_; }  // Samples of fenced attempts.
  bool idle() const;                                           // Everything known is delivered.

 private:
  struct Cursor {
    uint64_t seen = 0;       // Last seq read from the spool.
    uint64_t acked = 0;      // Last durable seq.
    uint64_t committed = 0;  // Last checkpoint event whose commit was answered.
    uint64_t turn = 0;       // Of the last call; the lowest goes next.
    int64_t last_step = 0;
    bool in_flight = false;
    bool unsure = false;  // Whether the coordinator still has what it acknowledged.
    bool asking = false;  // The call under way is the question.
    bool started = false;
    bool saw_exit = false;
    bool fenced = false;
    bool damaged = false;
    bool ended = false;
    std::optional<v1::RankEvent> exit;  // Given to End; its seq is set when the spool lacks one.
  };
  struct Deletions {
    std::vector<v1::CheckpointDeletion> confirmed;
    size_t in_flight = 0;  // Leading ones that a call carries.
  };

  void Note(const v1::RankEvent& event, Cursor* cursor);
  void Settle(Cursor* cursor);
  void Fence(const RankKey& rank, Cursor* cursor);
  absl::StatusOr<std::vector<v1::RankEvent>> Unsent(const RankKey& rank, const Cursor& cursor);
  std::optional<OutboxCall> CallFor(const RankKey& rank, Cursor* cursor);
  std::optional<OutboxCall> DeletionCall();
  v1::ReportEventsRequest Report(const RankKey& rank) const;
  v1::CommitCheckpointRequest Commit(const RankKey& rank, const v1::RankEvent& event) const;

  std::string worker_;
  std::string session_;
  SpoolSource& spools_;
  std::map<RankKey, Cursor> cursors_;
  std::map<std::string, Deletions> deletions_;  // By run.
  uint64_t turn_ = 0;
  uint64_t dropped_points_ = 0;
};

}  // namespace ddl::agent
