#include "tests/coordinator/core/service_model.h"

namespace ddl::coordinator {
namespace {

v1::SubmitExperimentRequest SweepRequest(const std::string& request_id, uint32_t seeds) {
  v1::SubmitExperimentRequest request;
  request.set_request_id(request_id);
  request.set_queue(true);
  request.mutable_sweep()->set_name("seeds");
  *request.mutable_sweep()->mutable_base() = ServiceModel::Spec();
  v1::SweepParameter* parameter = request.mutable_sweep()->add_parameters();
  parameter->set_path("seed");
  parameter->set_repeat(seeds);
  return request;
}

v1::ChangeRunsRequest Change(const std::string& request_id, const std::string& word) {
  v1::ChangeRunsRequest request;
  request.set_request_id(request_id);
  request.mutable_selector()->add_runs(word);
  return request;
}

TEST_CASE("A submission is resolved, named and queued") {
  ServiceModel model;
  const auto response = model.Submit("a", ServiceModel::Spec());
  REQUIRE(response.ok());
  REQUIRE(response->runs_size() == 1);
  const v1::RunRecord& run = model.sequencer->core().state().runs.at(response->runs(0).id());
  CHECK(run.state() == v1::RUN_STATE_QUEUED);
  CHECK(run.user() == "ada");
  CHECK(run.spec().optim().adamw().lr() == 1e-3);  // The default of spec.proto.
  CHECK(run.residual() == "ddl/1");
  CHECK(response->experiment().state() == "submitted");
}

TEST_CASE("More slots than the cluster has are refused with the largest possible, unless queued") {
  ServiceModel model;
  model.Worker("w1", 2);
  const absl::Status status = model.Submit("a", ServiceModel::Spec(4), /*queue=*/false).status();
  CHECK(absl::IsResourceExhausted(status));
  CHECK(std::string(status.message()).find("largest possible is 2") != std::string::npos);
  CHECK(model.Submit("b", ServiceModel::Spec(4), /*queue=*/true).ok());
  CHECK(model.Submit("c", ServiceModel::Spec(2), /*queue=*/false).ok());
}

TEST_CASE("A bad spec names its fields and changes nothing") {
  ServiceModel model;
  const uint64_t version = model.sequencer->core().state().version;
  v1::ExperimentSpec spec = ServiceModel::Spec();
  spec.mutable_model()->set_n_heads(3);
  const absl::Status status = model.Submit("a", spec).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("n_heads") != std::string::npos);
  CHECK(model.sequencer->core().state().version == version);
}

TEST_CASE("A check made beforehand changes neither the journal nor the answer to a repeat") {
  ServiceModel model;
  ServiceModel other;
  const v1::SubmitExperimentRequest request = SweepRequest("a", 3);
  const auto first = model.sequencer->Submit(request, model.As("ada"), CheckSubmission(request));
  REQUIRE(first.ok());
  REQUIRE(other.sequencer->Submit(request, other.As("ada")).ok());
  CHECK(model.sequencer->core().Snapshot() == other.sequencer->core().Snapshot());

  const absl::Status refusal = absl::InvalidArgumentError("parameters: arm 7 is bad");
  const auto again = model.sequencer->Submit(request, model.As("ada"), refusal);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == first->SerializeAsString());
  const std::string before = model.sequencer->core().Snapshot();
  CHECK(model.sequencer->Submit(SweepRequest("b", 3), model.As("ada"), refusal).status() ==
        refusal);
  CHECK(model.sequencer->core().Snapshot() == before);
}

TEST_CASE("A submission is checked for every arm of its sweep, and for being one at all") {
  v1::SubmitExperimentRequest request = SweepRequest("a", 3);
  CHECK(CheckSubmission(request).ok());
  v1::SweepParameter* heads = request.mutable_sweep()->add_parameters();
  heads->set_path("model.n_heads");
  for (const double value : {1.0, 3.0}) heads->add_values()->set_number_value(value);
  const absl::Status status = CheckSubmission(request);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("arm 1") != std::string::npos);
  CHECK(absl::IsInvalidArgument(CheckSubmission({})));
}

TEST_CASE("Validation answers like a submission and changes nothing") {
  ServiceModel model;
  v1::SubmitExperimentRequest request = SweepRequest("a", 3);
  request.set_validate_only(true);
  const uint64_t version = model.sequencer->core().state().version;
  const auto response = model.sequencer->Submit(request, model.As("ada"));
  REQUIRE(response.ok());
  CHECK(response->runs_size() == 3);
  CHECK(model.sequencer->core().state().version == version);
  request.set_validate_only(false);
  CHECK(model.sequencer->Submit(request, model.As("ada")).ok());
}

TEST_CASE("A thousand submissions and a crash: all are there, none twice") {
  ServiceModel model;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(model.Submit(absl::StrCat("r", i), ServiceModel::Spec()).ok());
    REQUIRE(model.sequencer->Flush().ok());
  }
  model.Restart();
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(model.Submit(absl::StrCat("r", i), ServiceModel::Spec()).ok());
  }
  CHECK(model.sequencer->core().state().experiments.size() == 1000);
  CHECK(model.sequencer->core().state().runs.size() == 1000);
}

TEST_CASE("A sweep makes one run for each seed and is canceled as a whole") {
  SequencerSettings settings;
  settings.core.live_runs_per_sweep = 2;
  ServiceModel model(settings);
  const auto response = model.sequencer->Submit(SweepRequest("a", 5), model.As("ada"));
  REQUIRE(response.ok());
  CHECK(response->runs_size() == 2);
  CHECK(response->experiment().trials() == 5);
  const std::string id = response->experiment().id();
  REQUIRE(model.sequencer->Cancel(Change("c", id), model.As("ada")).ok());
  model.sequencer->Tick(model.As(""));
  const State& state = model.sequencer->core().state();
  CHECK(state.runs.size() == 2);
  CHECK(state.experiments.at(id).state() == v1::EXPERIMENT_STATE_CANCELED);
}

TEST_CASE("A paused sweep makes no trials until it is resumed") {
  SequencerSettings settings;
  settings.core.live_runs_per_sweep = 2;
  ServiceModel model(settings);
  const std::string id =
      model.sequencer->Submit(SweepRequest("a", 3), model.As("ada"))->experiment().id();
  REQUIRE(model.sequencer->Pause(Change("p", id), model.As("ada")).ok());
  const State& state = model.sequencer->core().state();
  CHECK(state.experiments.at(id).state() == v1::EXPERIMENT_STATE_PAUSED);
  const std::string one = state.runs.begin()->first;
  REQUIRE(model.sequencer->Cancel(Change("c", one), model.As("ada")).ok());
  model.sequencer->Tick(model.As(""));
  CHECK(state.runs.size() == 2);
  REQUIRE(model.sequencer->Resume(Change("r", id), model.As("ada")).ok());
  model.sequencer->Tick(model.As(""));
  CHECK(state.runs.size() == 3);
}

TEST_CASE("A named run without the arrow is an error, and nothing named beside it changes") {
  ServiceModel model;
  const std::string a = model.Submit("a", ServiceModel::Spec())->runs(0).id();
  const std::string b = model.Submit("b", ServiceModel::Spec())->runs(0).id();
  REQUIRE(model.sequencer->Cancel(Change("c1", a), model.As("ada")).ok());
  v1::ChangeRunsRequest both = Change("p", b);
  both.mutable_selector()->add_runs(a);
  const absl::Status status = model.sequencer->Pause(both, model.As("ada")).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(std::string(status.message()).find("canceled") != std::string::npos);
  CHECK(model.sequencer->core().state().runs.at(b).state() == v1::RUN_STATE_QUEUED);
}

TEST_CASE("Selecting nothing is an error of its own") {
  ServiceModel model;
  v1::ChangeRunsRequest request;
  request.set_request_id("a");
  CHECK(absl::IsInvalidArgument(model.sequencer->Cancel(request, model.As("ada")).status()));
  CHECK(absl::IsNotFound(model.sequencer->Cancel(Change("b", "gone"), model.As("ada")).status()));
}

}  // namespace
}  // namespace ddl::coordinator
