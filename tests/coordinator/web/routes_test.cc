// What is served over HTTP, asked as the server would ask.
#include "coordinator/web/routes.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "common/http_server.h"
#include "tests/common/http_client.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

struct Web {
  RunningCoordinator coordinator;
  RunReader runs{coordinator.loop.get(), coordinator.store.get()};
  SeriesReader series{coordinator.loop.get(), coordinator.store.get()};
  Scrape scrape{coordinator.loop.get(), coordinator.store.get(), &coordinator.gate};

  HttpResponse Get(const std::string& path,
                   const std::multimap<std::string, std::string>& query = {}, bool local = true) {
    HttpRoutes routes = MakeRoutes({.loop = coordinator.loop.get(),
                                    .runs = &runs,
                                    .series = &series,
                                    .scrape = &scrape,
                                    .local = local});
    HttpRequest request;
    request.path = path;
    request.query = query;
    return routes.at(path)(request);
  }
};

TEST_CASE("health is always well, readiness answers from the commit loop") {
  Web web;
  CHECK(web.Get("/healthz").status == 200);
  CHECK(web.Get("/readyz").status == 200);
  CHECK(absl::StrContains(web.Get("/readyz").body, "term 1"));
}

TEST_CASE("runs are JSON, by experiment and state") {
  Web web;
  CHECK(nlohmann::json::parse(web.Get("/api/v1/runs").body)["runs"].empty());
  const std::string id = web.coordinator.Submit("one", "r1");
  const HttpResponse all = web.Get("/api/v1/runs");
  CHECK(all.content_type == "application/json");
  CHECK(nlohmann::json::parse(all.body)["runs"][0]["id"] == id);
  const auto count = [&](const std::multimap<std::string, std::string>& query) {
    return nlohmann::json::parse(web.Get("/api/v1/runs", query).body)["runs"].size();
  };
  CHECK(count({{"experiment", "default"}}) == 1);
  CHECK(count({{"experiment", "other"}}) == 0);
  CHECK(count({{"state", "queued"}, {"state", "running"}}) == 1);
  CHECK(count({{"state", "running"}}) == 0);
  CHECK(web.Get("/api/v1/runs", {{"state", "runing"}}).status == 400);
  const HttpResponse misspelt = web.Get("/api/v1/runs", {{"experimnt", "x"}});
  CHECK(misspelt.status == 400);
  CHECK(absl::StrContains(misspelt.body, "did you mean experiment?"));
}

TEST_CASE("a series is CSV, an unknown one is 404, a missing parameter 400") {
  Web web;
  const std::string id = web.coordinator.Submit("one", "r1");
  web.coordinator.AddWorker(1);
  const v1::DesiredAttempt attempt = web.coordinator.WaitForAttempt();
  REQUIRE(web.coordinator.Report(attempt, {StartedEvent(), StepEvent(1, 5.5)}).ok());
  const HttpResponse csv = web.Get("/api/v1/series.csv", {{"run", id}, {"name", "train_loss"}});
  CHECK(csv.status == 200);
  CHECK(csv.body ==
        "run,attempt,step,tokens,flops,active_seconds,value\n" + id + ",1,1,1024,1e+06,0.25,5.5\n");
  CHECK(web.Get("/api/v1/series.csv", {{"run", id}, {"name", "nothing"}}).status == 404);
  CHECK(web.Get("/api/v1/series.csv", {{"run", "nobody"}, {"name", "train_loss"}}).status == 404);
  CHECK(web.Get("/api/v1/series.csv", {{"run", id}}).status == 400);
}

TEST_CASE("workers are targets of Prometheus' service discovery, without any the list is empty") {
  Web web;
  CHECK(web.Get("/api/v1/prometheus/targets").body == "[]\n");
  web.coordinator.AddWorker(1);
  const HttpResponse answer = web.Get("/api/v1/prometheus/targets");
  CHECK(answer.content_type == "application/json");
  const auto targets = nlohmann::json::parse(answer.body);
  REQUIRE(targets.size() == 1);
  CHECK(targets[0]["targets"] == nlohmann::json::array({"127.0.0.1:9091"}));
  CHECK(targets[0]["labels"]["worker"] == "w1");
}

TEST_CASE("off loopback, runs and series are refused, health and metrics served") {
  Web web;
  CHECK(web.Get("/api/v1/runs", {}, false).status == 403);
  CHECK(web.Get("/api/v1/series.csv", {}, false).status == 403);
  CHECK(web.Get("/metrics", {}, false).status == 200);
  CHECK(web.Get("/healthz", {}, false).status == 200);
}

TEST_CASE("metrics come over the wire in Prometheus' text format") {
  Web web;
  const auto server =
      HttpServer::Start("127.0.0.1:0", MakeRoutes({.loop = web.coordinator.loop.get(),
                                                   .runs = &web.runs,
                                                   .series = &web.series,
                                                   .scrape = &web.scrape}));
  REQUIRE(server.ok());
  const HttpReply page = HttpGet((*server)->address(), "/metrics");
  CHECK(page.status == 200);
  CHECK(absl::StrContains(page.body,
                          "# TYPE ddl_coordinator_leader gauge\nddl_coordinator_leader 1\n"));
}

TEST_CASE("errors have the HTTP status that says what to do") {
  CHECK(HttpStatusOf(absl::OkStatus()) == 200);
  CHECK(HttpStatusOf(absl::InvalidArgumentError("")) == 400);
  CHECK(HttpStatusOf(absl::NotFoundError("")) == 404);
  CHECK(HttpStatusOf(absl::UnavailableError("")) == 503);
  CHECK(HttpStatusOf(absl::DataLossError("")) == 500);
}

}  // namespace
}  // namespace ddl::coordinator
