// `ddl cancel`, `ddl pause` and `ddl resume`: change the state of runs.
#include <iostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/run_text.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

// Asks on a terminal before more than one run is cancelled; a script is taken at its word.
absl::Status Confirm(Client& client, const v1::RunSelector& selector, const Arguments& arguments,
                     Io& io) {
  if (arguments.yes || !io.in_is_tty || !io.err_is_tty) return absl::OkStatus();
  v1::ListRunsRequest request;
  *request.mutable_selector() = selector;
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> runs, client.ListRuns(request));
  int running = 0;
  for (const v1::Run& run : runs) running += HasEnded(run.state()) ? 0 : 1;
  if (running < 2) return absl::OkStatus();
  if (arguments.Has("no-input")) {
    return absl::FailedPreconditionError(
        absl::StrCat("cancelling ", running, " runs on a terminal needs --yes, with --no-input"));
  }
  *io.err << "cancel " << running << " runs? [y/N] " << std::flush;
  std::string answer;
  std::getline(*io.in, answer);
  const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  if (word == "y" || word == "yes") return absl::OkStatus();
  return absl::AbortedError("nothing was changed");
}

absl::StatusOr<ExitCode> Change(RunChange change, const Arguments& arguments, Io& io) {
  v1::ChangeRunsRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(arguments.positional, arguments));
  DDL_RETURN_IF_ERROR(RequireSelection(request.selector(), arguments));
  request.set_request_id(RandomToken());
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  if (change == RunChange::kCancel)
    DDL_RETURN_IF_ERROR(Confirm(*client, request.selector(), arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::ChangeRunsResponse response, client->Change(change, request));
  const std::vector<v1::Run> runs(response.runs().begin(), response.runs().end());
  DDL_RETURN_IF_ERROR(PrintList(RunListing(runs, io.zone), arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Cancel(const Arguments& arguments, Io& io) {
  return Change(RunChange::kCancel, arguments, io);
}
absl::StatusOr<ExitCode> Pause(const Arguments& arguments, Io& io) {
  return Change(RunChange::kPause, arguments, io);
}
absl::StatusOr<ExitCode> Resume(const Arguments& arguments, Io& io) {
  return Change(RunChange::kResume, arguments, io);
}

Verb ChangeVerb(const std::string& name, const std::string& doc, decltype(Verb::run) run) {
  return {.name = name,
          .positional = "[RUN...]",
          .max_positional = -1,
          .doc = doc,
          .more = "All selected runs change, or none.",
          .flags = WithSelectionFlags({}),
          .run = run};
}

}  // namespace

Verb CancelVerb() { return ChangeVerb("cancel", "End runs for good", Cancel); }
Verb PauseVerb() { return ChangeVerb("pause", "Checkpoint runs and give up their slots", Pause); }
Verb ResumeVerb() { return ChangeVerb("resume", "Queue paused runs again", Resume); }

}  // namespace ddl::cli
