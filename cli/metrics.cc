// `ddl metrics`: the recorded points of a run, exact.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/run_folder.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

struct NamedSeries {
  std::string run;
  std::string name;
  std::vector<v1::Point> points;
};

// Of a run at the coordinator or of a run folder, behind one face.
class SeriesSource {
 public:
  static absl::StatusOr<SeriesSource> Open(const std::string& run, const Arguments& arguments,
                                           Io& io) {
    SeriesSource source;
    source.run_ = run;
    if (IsRunFolder(run)) {
      DDL_ASSIGN_OR_RETURN(source.folder_, ReadRunFolder(run));
    } else {
      DDL_ASSIGN_OR_RETURN(source.client_, Client::Connect(arguments, io));
    }
    return source;
  }

  absl::StatusOr<std::vector<std::string>> Names() {
    std::vector<std::string> names;
    if (folder_) {
      for (const auto& [name, points] : folder_->series) names.push_back(name);
      return names;
    }
    DDL_ASSIGN_OR_RETURN(const v1::ListSeriesResponse response, client_->ListSeries(run_));
    return std::vector<std::string>(response.names().begin(), response.names().end());
  }

  absl::StatusOr<std::vector<NamedSeries>> Read(const std::vector<std::string>& names,
                                                bool all_attempts) {
    return folder_ ? ReadFolder(names) : ReadCoordinator(names, all_attempts);
  }

 private:
  absl::StatusOr<std::vector<NamedSeries>> ReadFolder(const std::vector<std::string>& names) {
    std::vector<NamedSeries> all;
    for (const std::string& name : names) {
      const auto found = folder_->series.find(name);
      if (found != folder_->series.end()) {
        all.push_back({folder_->launch.run(), name, found->second});
      }
    }
    return all;
  }

  absl::StatusOr<std::vector<NamedSeries>> ReadCoordinator(const std::vector<std::string>& names,
                                                           bool all_attempts) {
    v1::GetSeriesRequest request;
    request.set_run(run_);
    request.set_all_attempts(all_attempts);
    for (const std::string& name : names) request.add_names(name);
    DDL_ASSIGN_OR_RETURN(const std::vector<v1::SeriesChunk> chunks, client_->GetSeries(request));
    std::vector<NamedSeries> all;
    for (const v1::SeriesChunk& chunk : chunks) {
      if (chunk.points().empty()) continue;
      all.push_back({chunk.run(), chunk.name(), {chunk.points().begin(), chunk.points().end()}});
    }
    return all;
  }

  std::string run_;
  std::optional<RunFolder> folder_;
  std::unique_ptr<Client> client_;
};

absl::Status PrintNames(const std::vector<std::string>& names, const Arguments& arguments, Io& io) {
  Json tree = Json::array();
  for (const std::string& name : names) tree.push_back({{"name", name}});
  return PrintRows(tree, {"name"}, names.empty() ? "" : absl::StrJoin(names, "\n") + "\n",
                   arguments, io);
}

absl::Status CheckNames(const std::vector<std::string>& wanted,
                        const std::vector<std::string>& known) {
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = DidYouMean(name, known);
    return absl::NotFoundError(
        absl::StrCat("the run has recorded no series ", Quoted(name),
                     nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                     "; `ddl metrics RUN` lists those that it has"));
  }
  return absl::OkStatus();
}

absl::Status PrintPoints(const std::vector<NamedSeries>& all, const Arguments& arguments, Io& io) {
  const bool several = arguments.positional.size() > 2;
  std::vector<std::string> columns = {"run",   "attempt",        "step", "tokens",
                                      "flops", "active_seconds", "value"};
  if (several) columns.insert(columns.begin() + 1, "name");
  Json rows = Json::array();
  std::vector<std::vector<Cell>> cells(1);
  for (const std::string& column : columns) cells[0].push_back({column});
  for (const NamedSeries& series : all) {
    for (const v1::Point& point : series.points) {
      Json row = {{"run", series.run}};
      if (several || arguments.output != Format::kCsv) row["name"] = series.name;
      row.update(FieldsOf(point));
      std::vector<Cell>& line = cells.emplace_back();
      for (const std::string& column : columns) line.push_back({CellText(At(row, column))});
      rows.push_back(std::move(row));
    }
  }
  std::vector<bool> right(columns.size(), true);
  right[0] = false;
  return PrintRows(rows, columns, TableText(cells, right, arguments.color), arguments, io);
}

absl::StatusOr<ExitCode> RunMetrics(const Arguments& arguments, Io& io) {
  const std::vector<std::string> wanted(arguments.positional.begin() + 1,
                                        arguments.positional.end());
  DDL_ASSIGN_OR_RETURN(SeriesSource source,
                       SeriesSource::Open(arguments.positional[0], arguments, io));
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> known, source.Names());
  if (wanted.empty()) {
    DDL_RETURN_IF_ERROR(PrintNames(known, arguments, io));
    return ExitCode::kOk;
  }
  std::vector<NamedSeries> all;  // Empty while the run has not begun.
  if (!known.empty()) {
    DDL_RETURN_IF_ERROR(CheckNames(wanted, known));
    DDL_ASSIGN_OR_RETURN(all, source.Read(wanted, arguments.Has("all-attempts")));
  }
  DDL_RETURN_IF_ERROR(PrintPoints(all, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb MetricsVerb() {
  return {.name = "metrics",
          .positional = "RUN|FOLDER [NAME...]",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Print recorded points of a run, or list its series",
          .more =
              "-o csv prints run,attempt,step,tokens,flops,active_seconds,value with numbers\n"
              "that read back to the same bits.",
          .flags = {{"all-attempts", 0, "", "Also steps that a later attempt has superseded"}},
          .run = RunMetrics};
}

}  // namespace ddl::cli
