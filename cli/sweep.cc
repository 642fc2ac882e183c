// `ddl sweep ls` and `ddl sweep status`: sweeps and how far they are.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client.h"
#include "cli/comparison_text.h"
#include "cli/output.h"
#include "cli/run_text.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

using google::protobuf::Message;

const v1::Experiment& ExperimentOf(const Message& row) {
  return static_cast<const v1::Experiment&>(row);
}

uint32_t EndedTrials(const v1::Experiment& experiment) {
  uint32_t ended = 0;
  for (const char* state : {"succeeded", "failed", "stopped_early", "canceled"}) {
    const auto found = experiment.trials_by_state().find(state);
    if (found != experiment.trials_by_state().end()) ended += found->second;
  }
  return ended;
}

std::string StatesText(const v1::Experiment& experiment) {
  std::vector<std::string> parts;
  const std::map<std::string, uint32_t> sorted(experiment.trials_by_state().begin(),
                                               experiment.trials_by_state().end());
  for (const auto& [state, count] : sorted) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", state));
  }
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<ExitCode> RunList(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Experiment> all, client->ListExperiments());
  Listing listing;
  listing.type = v1::Experiment::descriptor();
  listing.none = "no sweeps";
  listing.columns = {
      {.header = "ID", .path = "id"},
      {.header = "NAME", .path = "name"},
      {.header = "STATE",
       .path = "state",
       .color = [](const Message& row) { return ColorOfState(ExperimentOf(row).state()); }},
      {.header = "METHOD", .path = "sweep.method"},
      {.header = "ENDED",
       .path = "ended",
       .text =
           [](const Message& row) {
             return absl::StrCat(EndedTrials(ExperimentOf(row)), "/", ExperimentOf(row).trials());
           },
       .right = true},
      {.header = "TRIALS",
       .path = "trials_by_state",
       .text = [](const Message& row) { return StatesText(ExperimentOf(row)); }},
      {.header = "USER", .path = "user"},
      {.header = "SUBMITTED",
       .path = "submitted",
       .text = [zone = io.zone](
                   const Message& row) { return LocalTime(ExperimentOf(row).submitted(), zone); }},
  };
  for (const v1::Experiment& experiment : all) {
    if (experiment.kind() == "sweep") listing.rows.push_back(&experiment);
  }
  DDL_RETURN_IF_ERROR(PrintList(listing, arguments, io));
  return ExitCode::kOk;
}

// Why the arms cannot be compared yet is part of the status, not an error.
std::string ArmsText(Client& client, const v1::Experiment& sweep, const Arguments& arguments,
                     Json* tree) {
  v1::CompareRequest request;
  request.mutable_selector()->set_sweep(sweep.id());
  request.set_metric(sweep.sweep().metric().name());
  if (sweep.sweep().metric().at_tokens() > 0) {
    request.add_at(static_cast<double>(sweep.sweep().metric().at_tokens()));
  }
  const auto comparison = client.Compare(request);
  if (!comparison.ok()) {
    (*tree)["comparison"] = nullptr;
    return absl::StrCat("\nno comparison yet: ", TerminalText(comparison.status().message(), false),
                        "\n");
  }
  (*tree)["comparison"] = FieldsOf(*comparison);
  return absl::StrCat("\n", ComparisonText(*comparison, arguments));
}

absl::StatusOr<ExitCode> RunStatus(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::Experiment sweep, client->GetExperiment(arguments.positional[0]));
  if (sweep.kind() != "sweep") {
    return absl::InvalidArgumentError(
        absl::StrCat(sweep.id(), " (", sweep.name(), ") is a single run, not a sweep"));
  }
  v1::ListRunsRequest request;
  request.mutable_selector()->set_sweep(sweep.id());
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> runs, client->ListRuns(request));
  Json tree;
  tree["sweep"] = FieldsOf(sweep);
  tree["runs"] = Json::array();
  std::vector<std::vector<Cell>> rows = {
      {{"ID"}, {"NAME"}, {"STATE"}, {"RESIDUAL"}, {"SEED"}, {"TOKENS"}, {"LOSS"}, {"VAL_LOSS"}}};
  for (const v1::Run& run : runs) {
    tree["runs"].push_back(FieldsOf(run));
    rows.push_back({{run.id()},
                    {run.name()},
                    {run.state(), ColorOfState(run.state())},
                    {run.residual()},
                    {absl::StrCat(run.seed())},
                    {ProgressText(run)},
                    {LossText(run.train_loss())},
                    {LossText(run.val_loss())}});
  }
  std::string text = absl::StrCat(sweep.name(), "  ", sweep.id(), "  ", sweep.sweep().method(),
                                  "  ", sweep.state(), "  ", EndedTrials(sweep), "/",
                                  sweep.trials(), " ended: ", StatesText(sweep), "\n\n");
  text = TerminalText(text) +
         TableText(rows, {false, false, false, false, true, true, true, true}, arguments.color);
  absl::StrAppend(&text, ArmsText(*client, sweep, arguments, &tree));
  DDL_RETURN_IF_ERROR(PrintTree(tree, "sweep.id", text, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb SweepListVerb() {
  return {.name = "sweep ls",
          .doc = "List sweeps, newest first",
          .flags = {{"columns", 0, "FIELDS", "Columns to show, separated by commas"}},
          .run = RunList};
}

Verb SweepStatusVerb() {
  return {.name = "sweep status",
          .positional = "SWEEP",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Show the runs of a sweep and compare its arms",
          .run = RunStatus};
}

}  // namespace ddl::cli
