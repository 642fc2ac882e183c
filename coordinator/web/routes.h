// Everything that the coordinator serves over HTTP, read-only:
//
//   /healthz                        200 while the process runs; depends on nothing else
//   /readyz                         200 while calls are answered and the journal can be written
//   /metrics                        Prometheus
//   /api/v1/prometheus/targets      workers, for Prometheus' HTTP service discovery
//   /api/v1/runs                    JSON; ?experiment=NAME&state=WORD&page_size=N&page_token=T
//   /api/v1/series.csv              ?run=RUN&name=SERIES[&all_attempts=1]
#pragma once

#include <string>

#include "common/http_server.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/run_reader.h"
#include "coordinator/service/series_reader.h"
#include "coordinator/web/scrape.h"

namespace ddl::coordinator {

struct WebSources {  // All outlive the routes.
  CommitLoop* loop = nullptr;
  RunReader* runs = nullptr;
  SeriesReader* series = nullptr;
  Scrape* scrape = nullptr;
  // Whether the address is loopback. Elsewhere, in plain HTTP, only health, metrics and targets are
  // served; runs and series answer 403 and are to be had by gRPC, with TLS and a token.
  bool local = true;
};

HttpRoutes MakeRoutes(const WebSources& sources);

// The status that an error of the service has in HTTP.
int HttpStatusOf(const absl::Status& status);

}  // namespace ddl::coordinator
