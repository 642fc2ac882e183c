#include "coordinator/core/sequencer_inner.h"

#include "tests/coordinator/core/service_model.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A repeated request is answered with the same bytes, before and after a crash") {
  ServiceModel model;
  const std::string first = model.Submit("a", ServiceModel::Spec())->SerializeAsString();
  CHECK(model.Submit("a", ServiceModel::Spec())->SerializeAsString() == first);
  REQUIRE(model.sequencer->Flush().ok());
  CHECK(model.Submit("a", ServiceModel::Spec())->SerializeAsString() == first);
  model.Restart();
  CHECK(model.Submit("a", ServiceModel::Spec())->SerializeAsString() == first);
  CHECK(model.sequencer->core().state().experiments.size() == 1);
}

TEST_CASE("Another request under the same id is refused, another person's is not") {
  ServiceModel model;
  REQUIRE(model.Submit("a", ServiceModel::Spec()).ok());
  CHECK(absl::IsAlreadyExists(model.Submit("a", ServiceModel::Spec(2)).status()));
  v1::SubmitExperimentRequest request;
  request.set_request_id("a");
  request.set_queue(true);
  *request.mutable_spec() = ServiceModel::Spec(2);
  CHECK(model.sequencer->Submit(request, model.As("grace")).ok());
}

TEST_CASE("A request without an id, or with one too long, is refused") {
  ServiceModel model;
  CHECK(absl::IsInvalidArgument(model.Submit("", ServiceModel::Spec()).status()));
  CHECK(
      absl::IsInvalidArgument(model.Submit(std::string(129, 'x'), ServiceModel::Spec()).status()));
}

TEST_CASE("A run has at most 1,000 series, and what is beyond is counted") {
  SequencerSettings settings;
  settings.series_per_run = 2;
  ServiceModel model(settings);
  const std::string run = model.PlacedRun();
  v1::ReportEventsRequest request = model.Report(run, 1, 1, 1);
  for (const char* name : {"gradient_norm", "learning_rate", "step_seconds"}) {
    request.mutable_events(0)->mutable_step()->add_samples()->set_name(name);
  }
  REQUIRE(model.sequencer->ReportEvents(request, model.As("w1")).ok());
  REQUIRE(model.sequencer->Flush().ok());
  REQUIRE(model.store.metrics.size() == 1);
  CHECK(model.store.metrics[0].records[0].samples_size() == 2);
  CHECK(model.sequencer->dropped_samples() == 2);
}

}  // namespace
}  // namespace ddl::coordinator
