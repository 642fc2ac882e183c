// What is counted of each call.
#include "coordinator/service/call_gate.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("calls are counted by method and code, with the names that the ecosystem uses") {
  RunningCoordinator coordinator;
  coordinator.Submit("one", "r1");
  v1::GetRunRequest unknown;
  unknown.set_id("nobody");
  v1::RunDetail detail;
  CHECK_FALSE(RunningCoordinator::Call(coordinator.experiments().get(),
                                       &v1::Experiments::Stub::GetRun, unknown, &detail)
                  .ok());
  MetricFamilies families;
  coordinator.gate.Export(&families);
  std::map<std::string, double> handled;
  std::map<std::string, uint64_t> durations;
  for (const prometheus::MetricFamily& family : families.Families()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string labels;
      for (const auto& label : metric.label) labels += label.value + " ";
      if (family.name == "grpc_server_handled_total") handled[labels] = metric.counter.value;
      if (family.name == "grpc_server_handling_seconds") {
        durations[labels] = metric.histogram.sample_count;
      }
    }
  }
  CHECK(handled["ddl.v1.Experiments SubmitExperiment OK "] == 1);
  CHECK(handled["ddl.v1.Experiments GetRun NotFound "] == 1);
  CHECK(durations["ddl.v1.Experiments SubmitExperiment "] == 1);
}

}  // namespace
}  // namespace ddl::coordinator
