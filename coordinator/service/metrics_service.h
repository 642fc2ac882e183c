// The Metrics RPCs: every recorded point, exact, and comparisons made from them.
#pragma once

#include "coordinator/service/call_gate.h"
#include "coordinator/service/series_reader.h"
#include "proto/ddl/v1/metrics.grpc.pb.h"

namespace ddl::coordinator {

class MetricsService final : public v1::Metrics::Service {
 public:
  // Both outlive the service.
  MetricsService(SeriesReader* series, CallGate* gate) : series_(*series), gate_(*gate) {}

  grpc::Status GetSeries(grpc::ServerContext* context, const v1::GetSeriesRequest* request,
                         grpc::ServerWriter<v1::SeriesChunk>* writer) override;
  grpc::Status ListSeries(grpc::ServerContext* context, const v1::ListSeriesRequest* request,
                          v1::ListSeriesResponse* response) override;
  grpc::Status Compare(grpc::ServerContext* context, const v1::CompareRequest* request,
                       v1::Comparison* response) override;

 private:
  SeriesReader& series_;
  CallGate& gate_;
};

}  // namespace ddl::coordinator
