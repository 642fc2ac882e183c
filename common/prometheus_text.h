// Metric families in Prometheus' text format. The library's own serializer prints 16 digits, which
// loses the last bits of a double; here every value reads back as the same double, so that a
// scraped counter can be compared with the run store's value exactly.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "common/http_server.h"

namespace ddl {

// Families and metrics in the order given; labels are escaped.
std::string PrometheusText(const std::vector<prometheus::MetricFamily>& families);

// The same as a response with the format's content type.
HttpResponse PrometheusResponse(const std::vector<prometheus::MetricFamily>& families);

}  // namespace ddl
