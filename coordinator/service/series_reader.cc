#include "coordinator/service/series_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/names.h"
#include "common/status.h"
#include "coordinator/core/lineage.h"
#include "coordinator/core/selector.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kMaxComparedRuns = 1000;

absl::Status CheckNames(const v1::GetSeriesRequest& request,
                        const std::vector<std::string>& recorded) {
  if (request.names().empty()) {
    return absl::InvalidArgumentError("names must hold at least one series");
  }
  for (const std::string& name : request.names()) {
    if (std::find(recorded.begin(), recorded.end(), name) != recorded.end()) continue;
    const std::string nearest = DidYouMean(name, recorded);
    return absl::NotFoundError(absl::StrCat("run ", request.run(), " has no series ", Quoted(name),
                                            recorded.empty() ? ": nothing is recorded yet"
                                            : nearest.empty()
                                                ? absl::StrCat(" among its ", recorded.size())
                                                : absl::StrCat(" (did you mean ", nearest, "?)")));
  }
  return absl::OkStatus();
}

absl::Status CheckTime(absl::Time deadline) {
  if (absl::Now() < deadline) return absl::OkStatus();
  return absl::DeadlineExceededError("the read did not end before the deadline of the call");
}

}  // namespace

absl::StatusOr<SeriesReader::Lineages> SeriesReader::Find(const std::string& word,
                                                          absl::Time deadline) {
  return loop_.Read<Lineages>(deadline,
                              [word](const Sequencer& sequencer) -> absl::StatusOr<Lineages> {
                                const State& state = sequencer.core().state();
                                DDL_ASSIGN_OR_RETURN(std::string id, ResolveRun(state, word));
                                Lineage lineage = LineageOf(*FindRun(state, id));
                                return Lineages{std::move(id), std::move(lineage)};
                              });
}

absl::StatusOr<std::vector<std::string>> SeriesReader::Names(const std::string& run,
                                                             absl::Time deadline) {
  DDL_ASSIGN_OR_RETURN(const Lineages found, Find(run, deadline));
  return store_.SeriesNames(found.run);
}

absl::Status SeriesReader::Read(const v1::GetSeriesRequest& request, absl::Time deadline,
                                const std::function<bool(const v1::SeriesChunk&)>& take) {
  DDL_ASSIGN_OR_RETURN(const Lineages found, Find(request.run(), deadline));
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> recorded, store_.SeriesNames(found.run));
  DDL_RETURN_IF_ERROR(CheckNames(request, recorded));
  const Lineage lineage = request.all_attempts() ? Lineage() : found.lineage;
  absl::Status stopped;
  for (const std::string& name : request.names()) {
    DDL_RETURN_IF_ERROR(
        store_.ReadSeries(found.run, name, lineage, [&](const v1::SeriesChunk& chunk) {
          stopped = CheckTime(deadline);
          if (stopped.ok() && !take(chunk)) stopped = absl::CancelledError("the client has gone");
          return stopped.ok();
        }));
    DDL_RETURN_IF_ERROR(stopped);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ComparedRun>> SeriesReader::Compared(const v1::RunSelector& selector,
                                                                const std::string& metric,
                                                                absl::Time deadline) {
  using Specs = std::vector<std::pair<ComparedRun, Lineage>>;
  DDL_ASSIGN_OR_RETURN(
      Specs specs,
      loop_.Read<Specs>(deadline, [selector](const Sequencer& sequencer) -> absl::StatusOr<Specs> {
        const State& state = sequencer.core().state();
        DDL_ASSIGN_OR_RETURN(const Selection selection, SelectRuns(state, selector));
        if (selection.runs.size() > kMaxComparedRuns) {
          return absl::ResourceExhaustedError(absl::StrCat("at most ", kMaxComparedRuns,
                                                           " runs can be compared at a time, got ",
                                                           selection.runs.size()));
        }
        Specs found;
        for (const std::string& id : selection.runs) {
          const v1::RunRecord& run = *FindRun(state, id);
          ComparedRun compared;
          compared.run = id;
          compared.spec = run.spec();
          found.emplace_back(std::move(compared), LineageOf(run));
        }
        return found;
      }));
  std::vector<ComparedRun> compared;
  for (auto& [run, lineage] : specs) {
    DDL_RETURN_IF_ERROR(CheckTime(deadline));
    DDL_RETURN_IF_ERROR(store_.ReadSeries(
        run.run, metric, lineage, [&points = run.points](const v1::SeriesChunk& chunk) {
          points.insert(points.end(), chunk.points().begin(), chunk.points().end());
          return true;
        }));
    compared.push_back(std::move(run));
  }
  return compared;
}

}  // namespace ddl::coordinator
