#include "coordinator/service/metrics_service.h"

#include "common/series.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

constexpr absl::string_view kService = "ddl.v1.Metrics";

}  // namespace

grpc::Status MetricsService::GetSeries(grpc::ServerContext* context,
                                       const v1::GetSeriesRequest* request,
                                       grpc::ServerWriter<v1::SeriesChunk>* writer) {
  return gate_.Serve(*context, kService, "GetSeries", [&](const ServedCall& call) {
    return series_.Read(*request, call.deadline, [&](const v1::SeriesChunk& chunk) {
      return !context->IsCancelled() && writer->Write(chunk);
    });
  });
}

grpc::Status MetricsService::ListSeries(grpc::ServerContext* context,
                                        const v1::ListSeriesRequest* request,
                                        v1::ListSeriesResponse* response) {
  return gate_.Serve(*context, kService, "ListSeries", [&](const ServedCall& call) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         series_.Names(request->run(), call.deadline));
    response->mutable_names()->Add(names.begin(), names.end());
    return absl::OkStatus();
  });
}

grpc::Status MetricsService::Compare(grpc::ServerContext* context,
                                     const v1::CompareRequest* request, v1::Comparison* response) {
  return gate_.Serve(*context, kService, "Compare", [&](const ServedCall& call) -> absl::Status {
    ComparisonRequest comparison;
    comparison.metric =
        request->metric().empty() ? std::string(series::kValLoss) : request->metric();
    comparison.x = request->x();
    comparison.at.assign(request->at().begin(), request->at().end());
    comparison.baseline = request->baseline();
    DDL_ASSIGN_OR_RETURN(const std::vector<ComparedRun> runs,
                         series_.Compared(request->selector(), comparison.metric, call.deadline));
    DDL_ASSIGN_OR_RETURN(*response, ddl::Compare(runs, comparison));
    return absl::OkStatus();
  });
}

}  // namespace ddl::coordinator
