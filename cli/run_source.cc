#include "cli/run_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/run_folder.h"
#include "cli/selection.h"
#include "common/spec_rules.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

bool Matches(const std::string& series, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&series](absl::string_view name) {
    return absl::ConsumeSuffix(&name, "*") ? absl::StartsWith(series, name) : name == series;
  });
}

SourcedRun FromFolder(const RunFolder& folder, const std::vector<std::string>& names) {
  SourcedRun sourced;
  sourced.spec = folder.launch.spec();
  v1::Run& run = sourced.run;
  run.set_id(folder.launch.run());
  run.set_name(sourced.spec.name());
  run.set_seed(sourced.spec.seed());
  run.set_residual(ResidualLabel(sourced.spec.model().residual()));
  run.set_experiment(sourced.spec.experiment());
  run.set_target_tokens(static_cast<int64_t>(sourced.spec.train().tokens()));
  const bool succeeded = folder.exited && folder.exited->class_() == v1::EXIT_CLASS_SUCCESS;
  run.set_state(succeeded ? "succeeded" : folder.exited ? "failed" : "running");
  for (const auto& [name, points] : folder.series) {
    if (Matches(name, names)) sourced.series[name] = points;
    if (!points.empty()) {
      run.set_step(std::max(run.step(), points.back().step()));
      run.set_tokens(std::max(run.tokens(), points.back().tokens()));
      run.set_active_seconds(std::max(run.active_seconds(), points.back().active_seconds()));
    }
  }
  if (folder.started) {
    sourced.device = folder.started->device();
    sourced.library_versions = folder.started->library_versions();
  }
  return sourced;
}

absl::StatusOr<SourcedRun> FromCoordinator(Client& client, const v1::Run& run,
                                           const std::vector<std::string>& names) {
  SourcedRun sourced;
  sourced.run = run;
  DDL_ASSIGN_OR_RETURN(const v1::RunDetail detail, client.GetRun(run.id()));
  sourced.spec = detail.spec();
  if (!detail.attempts().empty()) {
    const v1::RankStarted& rank = detail.attempts().rbegin()->rank_zero();
    sourced.device = rank.device();
    sourced.library_versions = rank.library_versions();
  }
  DDL_ASSIGN_OR_RETURN(const v1::ListSeriesResponse known, client.ListSeries(run.id()));
  v1::GetSeriesRequest request;
  request.set_run(run.id());
  for (const std::string& name : known.names()) {
    if (Matches(name, names)) request.add_names(name);
  }
  if (request.names().empty()) return sourced;
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::SeriesChunk> chunks, client.GetSeries(request));
  for (const v1::SeriesChunk& chunk : chunks) {
    sourced.series[chunk.name()] = {chunk.points().begin(), chunk.points().end()};
  }
  return sourced;
}

}  // namespace

bool AnyIsFolder(const Arguments& arguments) {
  return std::any_of(arguments.positional.begin(), arguments.positional.end(), IsRunFolder);
}

bool AllAreFolders(const Arguments& arguments) {
  return !arguments.positional.empty() && !arguments.Has("sweep") && !arguments.Has("label") &&
         std::all_of(arguments.positional.begin(), arguments.positional.end(), IsRunFolder);
}

absl::StatusOr<std::vector<SourcedRun>> ReadRuns(const std::vector<std::string>& names,
                                                 const Arguments& arguments, Io& io) {
  std::vector<SourcedRun> runs;
  std::vector<std::string> words;
  for (const std::string& word : arguments.positional) {
    if (!IsRunFolder(word)) {
      words.push_back(word);
      continue;
    }
    DDL_ASSIGN_OR_RETURN(const RunFolder folder, ReadRunFolder(word));
    runs.push_back(FromFolder(folder, names));
  }
  if (AllAreFolders(arguments)) return runs;
  v1::ListRunsRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(words, arguments));
  DDL_RETURN_IF_ERROR(RequireSelection(request.selector(), arguments));
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> listed, client->ListRuns(request));
  for (const v1::Run& run : listed) {
    DDL_ASSIGN_OR_RETURN(SourcedRun sourced, FromCoordinator(*client, run, names));
    runs.push_back(std::move(sourced));
  }
  if (runs.empty()) return absl::NotFoundError("no run matches");
  return runs;
}

std::vector<ComparedRun> ForComparison(const std::vector<SourcedRun>& runs,
                                       const std::string& metric) {
  std::vector<ComparedRun> compared;
  for (const SourcedRun& sourced : runs) {
    const auto series = sourced.series.find(metric);
    compared.push_back(
        {sourced.run.id(), sourced.spec,
         series == sourced.series.end() ? std::vector<v1::Point>() : series->second});
  }
  return compared;
}

}  // namespace ddl::cli
