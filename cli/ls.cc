// `ddl ls`: the runs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/client.h"
#include "cli/run_text.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

absl::StatusOr<v1::ListRunsRequest> ListRequestOf(const Arguments& arguments) {
  v1::ListRunsRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(arguments.positional, arguments));
  for (const std::string& group : arguments.All("state")) {
    for (const std::string& state : std::vector<std::string>(absl::StrSplit(group, ','))) {
      if (std::find(RunStates().begin(), RunStates().end(), state) == RunStates().end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--state must be one of ", absl::StrJoin(RunStates(), ", "), ", got ", Quoted(state)));
      }
      request.add_states(state);
    }
  }
  return request;
}

// Numbers before what is null, numbers by size, texts by bytes.
bool Before(const Json& a, const Json& b) {
  if (a.is_null() || b.is_null()) return !a.is_null() && b.is_null();
  return a < b;
}

// By the fields of --sort; '-' before a field sorts downwards, and what is absent comes last.
absl::Status Sort(const std::string& fields, std::vector<v1::Run>* runs) {
  const std::vector<std::string> paths = ScalarPaths(*v1::Run::descriptor());
  std::vector<std::pair<std::string, bool>> keys;
  for (std::string field : std::vector<std::string>(absl::StrSplit(fields, ','))) {
    const bool down = !field.empty() && field[0] == '-';
    if (down) field.erase(0, 1);
    if (std::find(paths.begin(), paths.end(), field) == paths.end()) {
      const std::string nearest = DidYouMean(field, paths);
      return absl::InvalidArgumentError(
          absl::StrCat("--sort: no field ", Quoted(field),
                       nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)")));
    }
    keys.emplace_back(field, down);
  }
  std::vector<std::pair<Json, v1::Run>> rows;
  rows.reserve(runs->size());
  for (v1::Run& run : *runs) {
    Json fields_of_run = FieldsOf(run);
    rows.emplace_back(std::move(fields_of_run), std::move(run));
  }
  std::stable_sort(rows.begin(), rows.end(), [&keys](const auto& a, const auto& b) {
    for (const auto& [field, down] : keys) {
      const Json& x = At(a.first, field);
      const Json& y = At(b.first, field);
      if (x == y) continue;
      if (x.is_null() || y.is_null()) return y.is_null();
      return down ? Before(y, x) : Before(x, y);
    }
    return false;
  });
  runs->clear();
  for (auto& [tree, run] : rows) runs->push_back(std::move(run));
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> RunLs(const Arguments& given, Io& io) {
  Arguments arguments = given;
  if (arguments.Has("wide") && arguments.output == Format::kTable) arguments.output = Format::kWide;
  DDL_ASSIGN_OR_RETURN(const v1::ListRunsRequest request, ListRequestOf(arguments));
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(std::vector<v1::Run> runs, client->ListRuns(request));
  if (arguments.Has("sort")) DDL_RETURN_IF_ERROR(Sort(arguments.Get("sort"), &runs));
  DDL_RETURN_IF_ERROR(PrintList(RunListing(runs, io.zone), arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb LsVerb() {
  return {.name = "ls",
          .positional = "[RUN...]",
          .max_positional = -1,
          .doc = "List runs, newest first",
          .flags = WithSelectionFlags(
              {{"state", 's', "STATE", "Runs in these states, separated by commas", {}, true},
               {"sort", 0, "FIELD", "Order by fields, separated by commas; -FIELD for downwards"},
               {"columns", 0, "FIELDS", "Columns to show, separated by commas"},
               {"wide", 'w', "", "All columns, as -o wide"}}),
          .run = RunLs};
}

}  // namespace ddl::cli
