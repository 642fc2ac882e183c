// `ddl wait`: until runs have ended, run, or have trained on so many tokens.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/run_text.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/numbers.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

// Null for "finished": then only the end counts.
absl::StatusOr<std::function<bool(const v1::Run&)>> GoalOf(const std::string& text) {
  if (text == "finished") return std::function<bool(const v1::Run&)>();
  if (text == "running") {
    return [](const v1::Run& run) { return run.state() == "running"; };
  }
  constexpr absl::string_view kTokens = "tokens=";
  if (absl::StartsWith(text, kTokens)) {
    const auto tokens =
        ParseUnsigned(absl::string_view(text).substr(kTokens.size()), NumberUnit::kTokens);
    if (!tokens.ok()) return Annotate(tokens.status(), "--for tokens");
    const auto target = static_cast<int64_t>(*tokens);
    return [target](const v1::Run& run) { return run.tokens() >= target; };
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--for must be finished, running or tokens=N, got ", Quoted(text)));
}

absl::StatusOr<ExitCode> RunWait(const Arguments& arguments, Io& io) {
  FollowRequest request;
  DDL_ASSIGN_OR_RETURN(request.selector, SelectorOf(arguments.positional, arguments));
  DDL_RETURN_IF_ERROR(RequireSelection(request.selector, arguments));
  DDL_ASSIGN_OR_RETURN(request.reached, GoalOf(arguments.Get("for", "finished")));
  request.screen = io.err;
  request.redraw = io.err_is_tty && io.Env("TERM") != "dumb";
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> runs, Follow(*client, request, arguments, io));
  DDL_RETURN_IF_ERROR(PrintList(RunListing(runs, io.zone), arguments, io));
  return OutcomeOf(runs, io);
}

}  // namespace

Verb WaitVerb() {
  return {.name = "wait",
          .positional = "[RUN...]",
          .max_positional = -1,
          .doc = "Wait until runs have ended; exit code 7 when one failed, 124 after --timeout",
          .flags = WithSelectionFlags(
              {{"for", 0, "GOAL", "finished (default), running, or tokens=N such as tokens=8M"}}),
          .run = RunWait};
}

}  // namespace ddl::cli
