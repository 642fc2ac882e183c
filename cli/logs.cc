// `ddl logs`: what a run said. Of a run folder on this machine it prints the ranks' log files; of a
// run at the coordinator, its attempts, exits and notices, which is what the coordinator keeps.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/run_folder.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

struct Entry {
  std::string time;
  std::string severity;
  std::string message;
};

void AddAttempt(const v1::Attempt& attempt, std::vector<Entry>* entries) {
  const std::string name =
      absl::StrCat("attempt ", attempt.attempt(), " (epoch ", attempt.epoch(), ") ");
  const auto time = [](const google::protobuf::Timestamp& at) { return Rfc3339(TimeOf(at)); };
  if (attempt.has_placed()) {
    entries->push_back({time(attempt.placed()), "info",
                        absl::StrCat(name, "placed on ", absl::StrJoin(attempt.workers(), ", "))});
  }
  if (attempt.has_started()) {
    const v1::RankStarted& rank = attempt.rank_zero();
    entries->push_back(
        {time(attempt.started()), "info",
         absl::StrCat(name, "started from step ", attempt.resumed_step(), ", engine ",
                      rank.engine(), rank.engine_reason().empty() ? "" : ": ", rank.engine_reason(),
                      rank.resume_difference().empty() ? "" : "; ", rank.resume_difference())});
  }
  if (attempt.has_ended()) {
    const bool bad = attempt.state() == "failed" || attempt.state() == "lost";
    entries->push_back({time(attempt.ended()), bad ? "error" : "info",
                        absl::StrCat(name, attempt.state(), " at step ", attempt.last_step(),
                                     ", exit ", attempt.exit_code(), " ", attempt.exit_class(),
                                     attempt.message().empty() ? "" : ": ", attempt.message())});
  }
}

absl::StatusOr<ExitCode> PrintRemote(const std::string& run, const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::RunDetail detail, client->GetRun(run));
  std::vector<Entry> entries;
  for (const v1::Attempt& attempt : detail.attempts()) AddAttempt(attempt, &entries);
  for (const v1::Checkpoint& checkpoint : detail.checkpoints()) {
    if (!checkpoint.has_committed()) continue;
    entries.push_back({Rfc3339(TimeOf(checkpoint.committed())), "info",
                       absl::StrCat("checkpoint of step ", checkpoint.step(), " ",
                                    checkpoint.state(), ": ", checkpoint.folder())});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.time < b.time; });
  for (const v1::RunNotice& notice : detail.notices()) {
    entries.push_back({"", notice.severity(), notice.message()});
  }
  Json tree = Json::array();
  std::string text;
  for (const Entry& entry : entries) {
    tree.push_back({{"time", entry.time.empty() ? Json(nullptr) : Json(entry.time)},
                    {"severity", entry.severity},
                    {"message", entry.message}});
    absl::StrAppend(&text, entry.time.empty() ? "-" : entry.time, "  ", entry.severity, "  ",
                    TerminalText(entry.message, false), "\n");
  }
  DDL_RETURN_IF_ERROR(PrintRows(tree, {"time", "severity", "message"}, text, arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> PrintLocal(const std::string& word, const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const RunFolder folder, ReadRunFolder(word));
  std::string rank_folder = folder.path;
  if (arguments.Has("rank")) {
    uint32_t rank = 0;
    if (!absl::SimpleAtoi(arguments.Get("rank"), &rank) || rank >= folder.launch.world_size()) {
      return absl::InvalidArgumentError(absl::StrCat("--rank must be below ",
                                                     folder.launch.world_size(), ", got ",
                                                     Quoted(arguments.Get("rank"))));
    }
    const std::vector<std::string> parts = absl::StrSplit(folder.path, '/');
    if (parts.back() == "r0") {
      rank_folder = absl::StrCat(folder.path.substr(0, folder.path.size() - 2), "r", rank);
    }
  }
  DDL_ASSIGN_OR_RETURN(const std::string log, ReadFile(absl::StrCat(rank_folder, "/log")));
  Json tree = Json::array();
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(log, '\n'))) {
    if (!line.empty()) tree.push_back({{"message", line}});
  }
  DDL_RETURN_IF_ERROR(
      PrintRows(tree, {"message"}, io.out_is_tty ? TerminalText(log) : log, arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunLogs(const Arguments& arguments, Io& io) {
  const std::string& run = arguments.positional[0];
  if (IsRunFolder(run)) return PrintLocal(run, arguments, io);
  if (arguments.Has("rank")) {
    return absl::InvalidArgumentError(
        "--rank is for run folders; log files of ranks stay on their workers");
  }
  return PrintRemote(run, arguments, io);
}

}  // namespace

Verb LogsVerb() {
  return {.name = "logs",
          .positional = "RUN|FOLDER",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Show what happened to a run, or the log of a run folder",
          .more =
              "The coordinator keeps attempts, exits, checkpoints and notices. The ranks' log\n"
              "files lie in the run folders of the workers that held them.",
          .flags = {{"rank", 0, "N", "Log of this rank of a run folder; default 0"}},
          .run = RunLogs};
}

}  // namespace ddl::cli
