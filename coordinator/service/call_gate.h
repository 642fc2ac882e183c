// What every RPC passes through: the rules of common/rpc_server.h before it, one count and one
// duration after it. A service method does nothing outside of Serve.
#pragma once

#include <grpcpp/server_context.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/metric_families.h"
#include "common/mutex.h"
#include "common/rpc_server.h"

namespace ddl::coordinator {

struct ServedCall {
  std::string principal;
  absl::Time deadline;
};

class CallGate {
 public:
  // `service` and `method` as Prometheus' gRPC metrics name them: "ddl.v1.Workers", "Heartbeat".
  grpc::Status Serve(const grpc::ServerContext& context, absl::string_view service,
                     absl::string_view method,
                     const std::function<absl::Status(const ServedCall&)>& body);

  // grpc_server_handled_total and grpc_server_handling_seconds.
  void Export(MetricFamilies* families) const;

 private:
  void Count(absl::string_view service, absl::string_view method, const absl::Status& status,
             absl::Duration duration);

  mutable Mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> handled_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, HistogramCounts> durations_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::coordinator
