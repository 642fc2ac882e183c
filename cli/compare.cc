// `ddl compare`: arms of seeds at equal tokens, FLOPs, time or steps.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/client.h"
#include "cli/comparison_text.h"
#include "cli/output.h"
#include "cli/run_source.h"
#include "cli/selection.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/numbers.h"
#include "common/series.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

absl::StatusOr<v1::CompareRequest> CompareRequestOf(const Arguments& arguments) {
  v1::CompareRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(arguments.positional, arguments));
  DDL_RETURN_IF_ERROR(RequireSelection(request.selector(), arguments));
  request.set_metric(arguments.Get("metric", std::string(series::kValLoss)));
  request.set_x(arguments.Get("x", "tokens"));
  request.set_baseline(arguments.Get("baseline"));
  if (!arguments.Has("at")) return request;
  const NumberUnit unit = request.x() == "time" ? NumberUnit::kSeconds : NumberUnit::kTokens;
  for (const std::string& place :
       std::vector<std::string>(absl::StrSplit(arguments.Get("at"), ','))) {
    const auto at = ParseReal(place, unit);
    if (!at.ok()) return Annotate(at.status(), "--at");
    request.add_at(*at);
  }
  return request;
}

absl::StatusOr<v1::Comparison> CompareThem(const v1::CompareRequest& request,
                                           const Arguments& arguments, Io& io) {
  if (!AnyIsFolder(arguments)) {
    DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
    return client->Compare(request);
  }
  DDL_ASSIGN_OR_RETURN(const std::vector<SourcedRun> runs,
                       ReadRuns({request.metric()}, arguments, io));
  return Compare(ForComparison(runs, request.metric()),
                 {.metric = request.metric(),
                  .x = request.x(),
                  .at = {request.at().begin(), request.at().end()},
                  .baseline = request.baseline()});
}

// Whether a larger value of the metric is the better one.
bool LargerIsBetter(const std::string& metric) { return metric == series::kValAccuracy; }

// kFindings when an arm is worse than the baseline by more than `tolerance`, said on err.
absl::StatusOr<ExitCode> Judge(const v1::Comparison& comparison, double tolerance, Io& io) {
  ExitCode code = ExitCode::kOk;
  bool judged = false;
  for (const v1::Arm& arm : comparison.arms()) {
    if (!arm.has_difference()) continue;
    judged = true;
    const double worse = LargerIsBetter(comparison.metric()) ? -arm.difference() : arm.difference();
    if (worse <= tolerance) continue;
    *io.err << "ddl: "
            << TerminalText(
                   absl::StrCat(arm.label(), " is worse than ", comparison.baseline(), " by ",
                                worse, " at ", PlaceOnAxis(comparison.x(), arm.at()),
                                ", more than ", tolerance),
                   false)
            << "\n";
    code = ExitCode::kFindings;
  }
  if (!judged) {
    return absl::FailedPreconditionError(
        "--fail-if-worse needs a baseline and an arm with runs of the same seeds");
  }
  return code;
}

absl::StatusOr<ExitCode> RunCompare(const Arguments& arguments, Io& io) {
  double tolerance = 0;
  if (arguments.Has("fail-if-worse")) {
    const auto number = ParseReal(arguments.Get("fail-if-worse"));
    if (!number.ok()) return Annotate(number.status(), "--fail-if-worse");
    tolerance = *number;
  }
  DDL_ASSIGN_OR_RETURN(const v1::CompareRequest request, CompareRequestOf(arguments));
  DDL_ASSIGN_OR_RETURN(const v1::Comparison comparison, CompareThem(request, arguments, io));
  if (arguments.output == Format::kCsv || arguments.output == Format::kName) {
    Listing listing;
    listing.type = v1::Arm::descriptor();
    listing.name_path = "label";
    for (const v1::Arm& arm : comparison.arms()) listing.rows.push_back(&arm);
    DDL_RETURN_IF_ERROR(PrintList(listing, arguments, io));
  } else {
    DDL_RETURN_IF_ERROR(
        PrintObject(comparison, "baseline", ComparisonText(comparison, arguments), arguments, io));
  }
  if (!arguments.Has("fail-if-worse")) return ExitCode::kOk;
  return Judge(comparison, tolerance, io);
}

}  // namespace

Verb CompareVerb() {
  return {.name = "compare",
          .positional = "[RUN|FOLDER...]",
          .max_positional = -1,
          .doc = "Compare arms of seeds at equal tokens, FLOPs, time or steps",
          .more =
              "Runs that differ in their seed alone are one arm. Prints the mean with its 95 %\n"
              "t-interval and the difference from the baseline, paired by seed. Runs with\n"
              "other validation data, tokenizer or evaluation are refused.",
          .flags = WithSelectionFlags(
              {{"x",
                0,
                "AXIS",
                "Axis of the comparison; default tokens",
                {"tokens", "flops", "time", "steps"}},
               {"at", 0, "PLACES",
                "Places on the axis, separated by commas: 8M,20M; default the last common one"},
               {"metric", 'm', "SERIES", "Series to compare; default val_loss"},
               {"baseline", 0, "ARM", "Arm or run to take differences from; default additive"},
               {"fail-if-worse", 0, "AMOUNT",
                "Exit with 8 when an arm is worse than the baseline by more than this"}}),
          .run = RunCompare};
}

}  // namespace ddl::cli
