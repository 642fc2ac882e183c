// `ddl logs`: what the ranks of a run wrote and what happened to it, from the coordinator or from a
// run folder.
#include <deque>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/log_lines.h"
#include "cli/log_source.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr uint32_t kMaxTail = 1'000'000;
const char* const kFields[] = {"time", "attempt", "rank", "severity", "message"};

struct LogsWish {
  std::string run;
  std::vector<uint32_t> ranks;  // Empty: all.
  bool follow = false;
  std::optional<uint32_t> tail;
  LogFilter filter;
};

absl::StatusOr<LogsWish> WishOf(const Arguments& arguments) {
  LogsWish wish;
  wish.run = arguments.positional[0];
  wish.follow = arguments.Has("follow");
  if (arguments.Has("rank") && arguments.Get("rank") != "all") {
    uint32_t rank = 0;
    if (!absl::SimpleAtoi(arguments.Get("rank"), &rank)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--rank is a number or all, got ", Quoted(arguments.Get("rank"))));
    }
    wish.ranks.push_back(rank);
  }
  if (arguments.Has("tail")) {
    uint32_t tail = 0;
    if (!absl::SimpleAtoi(arguments.Get("tail"), &tail) || tail > kMaxTail) {
      return absl::InvalidArgumentError(absl::StrCat("--tail is a number of lines from 0 to ",
                                                     kMaxTail, ", got ",
                                                     Quoted(arguments.Get("tail"))));
    }
    wish.tail = tail;
  }
  absl::Time since = absl::InfinitePast();
  if (arguments.Has("since")) {
    const auto ago = ParseDuration(arguments.Get("since"));
    if (!ago.ok()) return Annotate(ago.status(), "--since");
    since = absl::Now() - *ago;
  }
  if (wish.follow && (arguments.output == Format::kJson || arguments.output == Format::kYaml)) {
    return absl::InvalidArgumentError(
        "--follow prints line by line: -o table, jsonl or csv, not json or yaml");
  }
  DDL_ASSIGN_OR_RETURN(wish.filter, LogFilter::Make(arguments.Get("grep"), since));
  return wish;
}

// Prints entries as they come, in one of the formats that need no end.
class LinePrinter {
 public:
  LinePrinter(bool ranks, const Arguments& arguments, Io& io)
      : ranks_(ranks), arguments_(arguments), io_(io) {}

  absl::Status Print(const std::vector<LogEntry>& entries) {
    for (const LogEntry& entry : entries) {
      if (arguments_.output == Format::kTable || arguments_.output == Format::kWide) {
        *io_.out << TextOf(entry, ranks_);
        continue;
      }
      Json row = JsonOf(entry);
      if (arguments_.output == Format::kJsonLines) {
        *io_.out << JsonLine(row);
        continue;
      }
      std::vector<std::string> cells;
      for (const char* field : kFields) cells.push_back(CellText(row[field]));
      if (!std::exchange(headed_, true) && arguments_.output == Format::kCsv) {
        *io_.out << CsvRow({std::begin(kFields), std::end(kFields)});
      }
      *io_.out << (arguments_.output == Format::kName ? cells[0] + "\n" : CsvRow(cells));
    }
    io_.out->flush();
    // A reader that has gone, as `head` has, ends the following.
    return *io_.out ? absl::OkStatus() : absl::CancelledError("nobody reads the output");
  }

 private:
  const bool ranks_;
  const Arguments& arguments_;
  Io& io_;
  bool headed_ = false;
};

// What is there now: of the logs and around them, filtered, the last lines of it if so wished.
absl::StatusOr<std::vector<LogEntry>> Present(const LogsWish& wish, LogSource* source,
                                              LogLines* lines) {
  std::vector<LogEntry> entries;
  const auto add = [&](std::vector<LogEntry> some) {
    for (LogEntry& entry : some) {
      if (wish.filter.Keeps(entry)) entries.push_back(std::move(entry));
    }
  };
  DDL_RETURN_IF_ERROR(source->Read(
      false,
      [&](const v1::LogChunk& chunk) {
        add(lines->Add(chunk));
        return absl::OkStatus();
      },
      [] { return absl::OkStatus(); }));
  if (!wish.follow) add(lines->TakeRest());
  DDL_ASSIGN_OR_RETURN(std::vector<LogEntry> events, source->Events());
  add(std::move(events));
  SortByTime(&entries);
  if (wish.tail && entries.size() > *wish.tail) {
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(*wish.tail));
  }
  return entries;
}

absl::Status Follow(const LogsWish& wish, LogSource* source, LogLines* lines,
                    LinePrinter* printer) {
  const auto print = [&](std::vector<LogEntry> entries) {
    std::erase_if(entries, [&](const LogEntry& entry) { return !wish.filter.Keeps(entry); });
    return printer->Print(entries);
  };
  const auto print_events = [&]() -> absl::Status {
    DDL_ASSIGN_OR_RETURN(std::vector<LogEntry> events, source->Events());
    return print(std::move(events));
  };
  uint32_t attempt = 0;
  const auto take = [&](const v1::LogChunk& chunk) -> absl::Status {
    // What ended the attempt before and placed this one comes before its first line.
    if (std::exchange(attempt, chunk.attempt()) != chunk.attempt()) {
      DDL_RETURN_IF_ERROR(print_events());
    }
    return print(lines->Add(chunk));
  };
  DDL_RETURN_IF_ERROR(source->Read(true, take, print_events));
  DDL_RETURN_IF_ERROR(print(lines->TakeRest()));
  return print_events();
}

absl::StatusOr<ExitCode> RunLogs(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const LogsWish wish, WishOf(arguments));
  DDL_ASSIGN_OR_RETURN(const std::unique_ptr<LogSource> source,
                       LogSource::Open(wish.run, wish.ranks, arguments, io));
  LogLines lines;
  DDL_ASSIGN_OR_RETURN(const std::vector<LogEntry> present, Present(wish, source.get(), &lines));
  const bool ranks = source->world_size() > 1;
  if (wish.follow) {
    LinePrinter printer(ranks, arguments, io);
    DDL_RETURN_IF_ERROR(printer.Print(present));
    const absl::Status followed = Follow(wish, source.get(), &lines, &printer);
    if (!followed.ok() && *io.out) return followed;
    return ExitCode::kOk;
  }
  Json rows = Json::array();
  std::string text;
  for (const LogEntry& entry : present) {
    rows.push_back(JsonOf(entry));
    absl::StrAppend(&text, TextOf(entry, ranks));
  }
  DDL_RETURN_IF_ERROR(
      PrintRows(rows, {std::begin(kFields), std::end(kFields)}, text, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb LogsVerb() {
  return {.name = "logs",
          .positional = "RUN|FOLDER",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Show what the ranks of a run wrote and what happened to it",
          .more =
              "Lines are in order of time. The coordinator keeps the first 16 MiB of each rank's\n"
              "log; the whole of it lies in the run folder on the worker. --follow goes on until\n"
              "the run has ended, over restarts of it; a reader that takes more than ten seconds\n"
              "for 64 KiB is cut off.",
          .flags = {{"follow", 'f', "", "Go on with what is added until the run has ended"},
                    {"tail", 'n', "N", "The last N of the lines that are there"},
                    {"grep", 0, "RE", "Lines that match a regular expression (RE2)"},
                    {"since", 0, "TIME", "Lines that are younger than this: 30s, 10m, 1h"},
                    {"rank", 0, "N", "The log of this rank; default all"}},
          .streams_with = "follow",
          .run = RunLogs};
}

}  // namespace ddl::cli
