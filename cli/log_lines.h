// Pieces of ranks' logs to lines, with the time and level that a line names itself. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/fields.h"
#include "proto/ddl/v1/experiments.pb.h"
#include "re2/re2.h"

namespace ddl::cli {

struct LogEntry {
  std::optional<absl::Time> time;  // A line without one has the time of the line before it.
  uint32_t attempt = 0;            // 0: of the run.
  std::optional<uint32_t> rank;    // None: of the attempt, not of a rank's log.
  std::string severity;            // info, warning or error; empty when the line names none.
  std::string message;             // The whole line, without its newline.
};

class LogLines {
 public:
  // The lines that `chunk` completes, in order.
  std::vector<LogEntry> Add(const v1::LogChunk& chunk);
  // What is there of lines without an end.
  std::vector<LogEntry> TakeRest();

 private:
  struct Tail {
    std::string text;
    std::optional<absl::Time> time;
    uint32_t attempt = 0;
  };
  LogEntry Line(std::string text, uint32_t rank, Tail* tail) const;
  std::map<std::pair<uint64_t, uint32_t>, Tail> tails_;  // By epoch and rank.
};

// Which lines are wanted.
class LogFilter {
 public:
  // `pattern`: RE2, empty for every line; kInvalidArgument says what is wrong with it. Lines older
  // than `since` go; those without any time stay.
  static absl::StatusOr<LogFilter> Make(const std::string& pattern, absl::Time since);
  bool Keeps(const LogEntry& entry) const;

 private:
  std::shared_ptr<const RE2> pattern_;  // Null: every line.
  absl::Time since_;
};

// In the order of time; lines of one rank keep theirs, and what has no time comes last.
void SortByTime(std::vector<LogEntry>* entries);

Json JsonOf(const LogEntry& entry);
// One line with its newline. `ranks` says whether the run has several, and names the rank then.
std::string TextOf(const LogEntry& entry, bool ranks);

}  // namespace ddl::cli
