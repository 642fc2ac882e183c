// Sends the ranks' log files to the coordinator, piece by piece. Only the coordinator knows how
// much of a log it has, so that each log begins with the question; nothing here needs to be
// remembered.
//
// Single-threaded, one call under way at a time. A log that is not sent in whole when the daemon
// ends is found again by the next one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/attempt.h"
#include "worker/agent/run_folders.h"

namespace ddl::agent {

class LogOutbox {
 public:
  // `folders` must outlive this.
  LogOutbox(std::string worker, std::string session, const RunFolders* folders);

  // Takes up what an earlier daemon has left unsent. Once, before anything else.
  void TakeUp();
  // Adds the logs of ranks that are new here; a rank that has exited or is held no more has written
  // its last line.
  void Follow(const HeldAttempts& held);

  // The next piece to send; nullopt while a call is under way or when there is nothing new.
  std::optional<v1::ReportLogRequest> Next();
  // The answer to the last call of Next. An error that a repeat cannot mend gives the log up.
  void OnReport(const absl::Status& status, const v1::ReportLogResponse& response);

  // Whether every log of a rank that has ended is sent.
  bool idle() const;

 private:
  struct Cursor {
    uint64_t offset = 0;
    bool asked = false;  // The coordinator has said where to go on.
    bool ended = false;  // The rank writes no more.
    uint64_t turn = 0;   // Of its last call; the one that waits longest goes first.
  };
  std::optional<v1::ReportLogRequest> CallFor(const RankKey& rank, const Cursor& cursor) const;
  void Settle(const RankKey& rank);

  const std::string worker_;
  const std::string session_;
  const RunFolders& folders_;
  std::map<RankKey, Cursor> cursors_;  // Of logs that are not sent in whole.
  std::set<RankKey> held_;             // Of the last Follow.
  std::optional<RankKey> in_flight_;
  uint64_t turn_ = 0;
};

}  // namespace ddl::agent
