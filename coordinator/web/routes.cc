#include "coordinator/web/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/names.h"
#include "common/prometheus_text.h"
#include "common/status.h"
#include "coordinator/web/run_json.h"

namespace ddl::coordinator {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr absl::Duration kPageLimit = absl::Seconds(10);
constexpr absl::Duration kReadyLimit = absl::Seconds(2);
constexpr size_t kMaxCsvBytes = size_t{64} << 20;

HttpResponse Failed(const absl::Status& status) {
  return {HttpStatusOf(status), kText, absl::StrCat(status.message(), "\n")};
}

// The answer of a page: its body, or the error as text.
HttpResponse Answer(absl::StatusOr<std::string> body, const char* content_type) {
  if (!body.ok()) return Failed(body.status());
  return {200, content_type, *std::move(body)};
}

absl::Status CheckParameters(const HttpRequest& request, const std::vector<std::string>& known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = DidYouMean(name, known);
    return absl::InvalidArgumentError(
        absl::StrCat("unknown parameter ", Quoted(name),
                     nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)")));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Ready(CommitLoop* loop) {
  DDL_ASSIGN_OR_RETURN(
      const uint64_t term,
      loop->Read<uint64_t>(absl::Now() + kReadyLimit, [](const Sequencer& sequencer) {
        return absl::StatusOr<uint64_t>(sequencer.core().state().term);
      }));
  if (!loop->healthy()) return absl::UnavailableError("the journal cannot be written");
  return absl::StrCat("ready, term ", term, "\n");
}

absl::StatusOr<std::string> Targets(CommitLoop* loop) {
  return loop->Read<std::string>(
      absl::Now() + kPageLimit, [](const Sequencer& sequencer) -> absl::StatusOr<std::string> {
        nlohmann::ordered_json targets = nlohmann::ordered_json::array();
        for (const auto& [name, worker] : sequencer.core().state().workers) {
          if (worker.http_address().empty() || worker.state() == v1::WORKER_STATE_LOST) continue;
          nlohmann::ordered_json target;
          target["targets"] = {worker.http_address()};
          target["labels"] = {{"worker", name}, {"pool", worker.pool()}};
          targets.push_back(std::move(target));
        }
        return targets.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      });
}

absl::StatusOr<std::string> Runs(RunReader* runs, const HttpRequest& request) {
  DDL_RETURN_IF_ERROR(CheckParameters(request, {"experiment", "state", "page_size", "page_token"}));
  v1::ListRunsRequest list;
  const std::string experiment = QueryValue(request, "experiment");
  if (!experiment.empty()) (*list.mutable_selector()->mutable_labels())["experiment"] = experiment;
  const auto states = request.query.equal_range("state");
  for (auto state = states.first; state != states.second; ++state) list.add_states(state->second);
  uint32_t size = 0;
  const std::string text = QueryValue(request, "page_size", "0");
  if (!absl::SimpleAtoi(text, &size)) {
    return absl::InvalidArgumentError(absl::StrCat("page_size ", Quoted(text), " is no number"));
  }
  list.set_page_size(size);
  list.set_page_token(QueryValue(request, "page_token"));
  DDL_ASSIGN_OR_RETURN(RunReader::Page page, runs->List(list, absl::Now() + kPageLimit));
  v1::ListRunsResponse answer;
  for (v1::Run& run : page.runs) *answer.add_runs() = std::move(run);
  answer.set_next_page_token(page.next);
  return RunsJson(answer);
}

absl::StatusOr<std::string> SeriesCsv(SeriesReader* series, const HttpRequest& request) {
  DDL_RETURN_IF_ERROR(CheckParameters(request, {"run", "name", "all_attempts"}));
  v1::GetSeriesRequest get;
  get.set_run(QueryValue(request, "run"));
  const std::string name = QueryValue(request, "name");
  if (get.run().empty() || name.empty()) {
    return absl::InvalidArgumentError("parameters run and name are needed");
  }
  get.add_names(name);
  get.set_all_attempts(QueryValue(request, "all_attempts") == "1");
  std::string csv = kSeriesCsvHeader;
  bool too_large = false;
  const absl::Status read =
      series->Read(get, absl::Now() + kPageLimit, [&](const v1::SeriesChunk& chunk) {
        csv += SeriesCsvRows(chunk);
        too_large = csv.size() > kMaxCsvBytes;
        return !too_large;
      });
  if (too_large) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the series has more than ", kMaxCsvBytes, " bytes; use ddl metrics"));
  }
  DDL_RETURN_IF_ERROR(read);
  return csv;
}

HttpResponse Metrics(Scrape* scrape) {
  const absl::Time now = absl::Now();
  const auto families = scrape->Families(now, now + kPageLimit);
  return families.ok() ? PrometheusResponse(*families) : Failed(families.status());
}

HttpResponse Refuse(const HttpRequest&) {
  return {403, kText, "served on loopback alone; use ddl ls, ddl metrics\n"};
}

}  // namespace

int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return 200;
    case absl::StatusCode::kInvalidArgument: return 400;
    case absl::StatusCode::kUnauthenticated: return 401;
    case absl::StatusCode::kNotFound: return 404;
    case absl::StatusCode::kResourceExhausted: return 413;
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable: return 503;
    default: return 500;
  }
}

HttpRoutes MakeRoutes(const WebSources& sources) {
  HttpRoutes routes = {
      {"/healthz",
       [](const HttpRequest&) {
         return HttpResponse{200, kText, "ok\n"};
       }},
      {"/readyz", [loop = sources.loop](const HttpRequest&) { return Answer(Ready(loop), kText); }},
      {"/metrics", [scrape = sources.scrape](const HttpRequest&) { return Metrics(scrape); }},
      {"/api/v1/prometheus/targets",
       [loop = sources.loop](const HttpRequest&) { return Answer(Targets(loop), kJson); }},
  };
  if (!sources.local) {
    routes["/api/v1/runs"] = routes["/api/v1/series.csv"] = Refuse;
    return routes;
  }
  routes["/api/v1/runs"] = [runs = sources.runs](const HttpRequest& request) {
    return Answer(Runs(runs, request), kJson);
  };
  routes["/api/v1/series.csv"] = [series = sources.series](const HttpRequest& request) {
    return Answer(SeriesCsv(series, request), "text/csv; charset=utf-8");
  };
  return routes;
}

}  // namespace ddl::coordinator
