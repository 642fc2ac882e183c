// `ddl submit` and `ddl sweep create`: hand specs to the coordinator.
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/run_text.h"
#include "cli/selection.h"
#include "cli/spec_source.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr int kNamedRuns = 8;  // In the hint.

// One request for a sweep, one for each run otherwise.
absl::StatusOr<std::vector<v1::SubmitExperimentRequest>> RequestsOf(const SpecSource& source,
                                                                    const Arguments& arguments) {
  std::vector<v1::SubmitExperimentRequest> requests;
  const std::string name = arguments.Get("name");
  if (arguments.Has("name")) {
    const absl::Status status = CheckName(name);
    if (!status.ok()) return Annotate(status, "--name");
  }
  if (source.kind == SpecFileKind::kSweep) {
    v1::SubmitExperimentRequest& request = requests.emplace_back();
    *request.mutable_sweep() = source.sweep;
    if (!name.empty()) request.mutable_sweep()->set_name(name);
  }
  for (size_t i = 0; i < source.specs.size(); ++i) {
    v1::SubmitExperimentRequest& request = requests.emplace_back();
    *request.mutable_spec() = source.specs[i];
    if (name.empty()) continue;
    request.mutable_spec()->set_name(source.specs.size() == 1 ? name
                                                              : absl::StrCat(name, "-", i + 1));
  }
  for (v1::SubmitExperimentRequest& request : requests) {
    request.set_request_id(RandomToken());
    request.set_queue(arguments.Has("queue"));
    request.set_validate_only(arguments.Has("dry-run"));
  }
  return requests;
}

std::string NextHint(const std::vector<v1::Run>& runs, const std::string& sweep) {
  if (!sweep.empty()) return absl::StrCat("next: ddl watch --sweep ", sweep);
  std::string hint = "next: ddl watch";
  for (const v1::Run& run : runs) absl::StrAppend(&hint, " ", run.id());
  return static_cast<int>(runs.size()) <= kNamedRuns ? hint : "next: ddl watch @last";
}

struct Submitted {
  std::vector<v1::Run> runs;
  v1::RunSelector selector;
  std::string sweep;  // Id of the sweep, if it is one.
};

absl::StatusOr<Submitted> SubmitAll(Client& client,
                                    const std::vector<v1::SubmitExperimentRequest>& requests,
                                    Io& io) {
  Submitted submitted;
  for (const v1::SubmitExperimentRequest& request : requests) {
    const auto response = client.Submit(request);
    if (!response.ok()) {
      // Several runs are several calls: say which of them were accepted before this one.
      for (const v1::Run& run : submitted.runs) {
        *io.err << "ddl: submitted before the error: " << run.id() << "\n";
      }
      if (!absl::IsResourceExhausted(response.status())) return response.status();
      return absl::ResourceExhaustedError(absl::StrCat(
          response.status().message(), "; --queue submits it to wait for more workers"));
    }
    submitted.runs.insert(submitted.runs.end(), response->runs().begin(), response->runs().end());
    if (request.has_sweep()) submitted.sweep = response->experiment().id();
  }
  if (submitted.sweep.empty()) {
    for (const v1::Run& run : submitted.runs) submitted.selector.add_runs(run.id());
  } else {
    submitted.selector.set_sweep(submitted.sweep);
  }
  return submitted;
}

absl::StatusOr<ExitCode> Submit(const SpecSource& source, const Arguments& arguments, Io& io) {
  for (const std::string& warning : source.warnings) {
    *io.err << "ddl: warning: " << TerminalText(warning, false) << "\n";
  }
  DDL_ASSIGN_OR_RETURN(const auto requests, RequestsOf(source, arguments));
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const Submitted submitted, SubmitAll(*client, requests, io));
  DDL_RETURN_IF_ERROR(PrintList(RunListing(submitted.runs, io.zone), arguments, io));
  *io.out << std::flush;
  if (arguments.Has("dry-run")) {
    *io.err << "nothing was submitted (--dry-run)\n";
    return ExitCode::kOk;
  }
  if (!arguments.Has("follow")) {
    *io.err << NextHint(submitted.runs, submitted.sweep) << "\n";
    return ExitCode::kOk;
  }
  FollowRequest follow;
  follow.selector = submitted.selector;
  follow.screen = io.err;
  follow.redraw = io.err_is_tty && io.Env("TERM") != "dumb";
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> ended, Follow(*client, follow, arguments, io));
  return OutcomeOf(ended, io);
}

absl::StatusOr<ExitCode> SubmitFile(bool only_sweeps, const Arguments& arguments, Io& io) {
  const std::vector<std::string> overrides(arguments.positional.begin() + 1,
                                           arguments.positional.end());
  const auto source = ReadSpecSource(arguments.positional[0], overrides, arguments, io);
  if (!source.ok()) return PrintSpecErrors(source.status(), io);
  if (only_sweeps && source->kind != SpecFileKind::kSweep) {
    return absl::InvalidArgumentError(absl::StrCat(
        arguments.positional[0], " is an experiment, not a sweep; `ddl submit` takes both"));
  }
  return Submit(*source, arguments, io);
}

absl::StatusOr<ExitCode> RunSubmit(const Arguments& arguments, Io& io) {
  return SubmitFile(false, arguments, io);
}
absl::StatusOr<ExitCode> RunSweepCreate(const Arguments& arguments, Io& io) {
  return SubmitFile(true, arguments, io);
}

std::vector<Flag> SubmitFlags() {
  return {{"follow", 'f', "", "Follow the runs; exit code 7 when one fails"},
          {"queue", 0, "", "Accept what the present workers could never hold"},
          {"name", 0, "NAME", "Name of the run or sweep"},
          {"dry-run", 0, "", "Ask the coordinator whether it would accept, and change nothing"},
          DataRootFlag()};
}

}  // namespace

Verb SubmitVerb() {
  return {.name = "submit",
          .positional = "SPEC [KEY=VALUE...]",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Submit an experiment or a sweep",
          .more = "The file's content says which it is. KEY=A,B,C makes a run for each value.",
          .flags = SubmitFlags(),
          .streams = true,
          .run = RunSubmit};
}

Verb SweepCreateVerb() {
  return {.name = "sweep create",
          .positional = "SPEC [KEY=VALUE...]",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Submit a sweep",
          .flags = SubmitFlags(),
          .streams = true,
          .run = RunSweepCreate};
}

}  // namespace ddl::cli
