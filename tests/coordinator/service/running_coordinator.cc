#include "tests/coordinator/service/running_coordinator.h"

#include <catch2/catch.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl::coordinator {

RunningCoordinator::RunningCoordinator(SequencerSettings settings) : settings_(settings) {
  Start();
}

void RunningCoordinator::Start() {
  auto opened = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  INFO(opened.status().ToString());
  REQUIRE(opened.ok());
  store = *std::move(opened);
  auto started = CommitLoop::Start(store.get(), settings_, {.tick = absl::Milliseconds(20)});
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  loop = *std::move(started);
  auto opened_logs = LogStore::Open(absl::StrCat(folder.path(), "/logs"), {});
  REQUIRE(opened_logs.ok());
  logs = *std::move(opened_logs);
  auto served = Server::Start({.address = "127.0.0.1:0",
                               .http_address = "127.0.0.1:9",
                               .log_reader_patience = absl::Seconds(1)},
                              loop.get(), store.get(), logs.get(), &gate);
  INFO(served.status().ToString());
  REQUIRE(served.ok());
  server = *std::move(served);
  channel_ = OpenChannel(server->address(), {});
}

void RunningCoordinator::Restart() {
  server.reset();
  loop.reset();
  store.reset();
  Start();
}

std::unique_ptr<v1::Experiments::Stub> RunningCoordinator::experiments() const {
  return v1::Experiments::NewStub(channel_);
}
std::unique_ptr<v1::Workers::Stub> RunningCoordinator::workers() const {
  return v1::Workers::NewStub(channel_);
}
std::unique_ptr<v1::Metrics::Stub> RunningCoordinator::metrics() const {
  return v1::Metrics::NewStub(channel_);
}

std::string RunningCoordinator::Submit(const std::string& name, const std::string& request_id) {
  v1::SubmitExperimentRequest request;
  request.set_request_id(request_id);
  *request.mutable_spec() = SmallSpec(name);
  request.set_queue(true);
  v1::SubmitExperimentResponse response;
  const absl::Status status =
      Call(experiments().get(), &v1::Experiments::Stub::SubmitExperiment, request, &response);
  INFO(status.ToString());
  REQUIRE(status.ok());
  REQUIRE(response.runs_size() == 1);
  return response.runs(0).id();
}

void RunningCoordinator::AddWorker(uint32_t slots) {
  v1::RegisterRequest request;
  request.set_request_id("register-w1");
  request.set_worker("w1");
  request.set_session("s1");
  request.set_boot_id("b1");
  request.set_pool("default");
  request.set_http_address("127.0.0.1:9091");
  for (uint32_t i = 0; i < slots; ++i) {
    request.add_slots()->set_index(i);
    request.mutable_slots(static_cast<int>(i))->set_device("cpu");
  }
  v1::RegisterResponse response;
  const absl::Status status =
      Call(workers().get(), &v1::Workers::Stub::Register, request, &response);
  INFO(status.ToString());
  REQUIRE(status.ok());
  beat_.set_worker("w1");
  beat_.set_session("s1");
  beat_.set_term_seen(response.term());
  Beat();
}

v1::HeartbeatResponse RunningCoordinator::Beat() {
  beat_.set_sequence(beat_.sequence() + 1);
  v1::HeartbeatResponse response;
  const absl::Status status =
      Call(workers().get(), &v1::Workers::Stub::Heartbeat, beat_, &response);
  INFO(status.ToString());
  REQUIRE(status.ok());
  beat_.set_term_seen(response.term());
  beat_.clear_inventory();
  for (const v1::DesiredAttempt& attempt : response.desired()) {
    if (attempt.desired() != v1::DESIRED_RUN) continue;
    v1::InventoryAttempt& held = *beat_.add_inventory();
    held.set_run(attempt.run());
    held.set_epoch(attempt.epoch());
    for (const v1::RankAssignment& rank : attempt.ranks()) {
      v1::InventoryRank& listed = *held.add_ranks();
      listed.set_rank(rank.rank());
      listed.set_pid(1000);
      listed.set_state(v1::RANK_STATE_RUNNING);
    }
  }
  return response;
}

v1::DesiredAttempt RunningCoordinator::WaitForAttempt() {
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (absl::Now() < limit) {
    const v1::HeartbeatResponse response = Beat();
    if (response.desired_size() == 0) continue;
    Beat();
    next_seq_ = 1;
    return response.desired(0);
  }
  v1::GetQueueResponse queue;
  Call(experiments().get(), &v1::Experiments::Stub::GetQueue, v1::GetQueueRequest(), &queue)
      .IgnoreError();
  v1::ListWorkersResponse list;
  Call(experiments().get(), &v1::Experiments::Stub::ListWorkers, v1::ListWorkersRequest(), &list)
      .IgnoreError();
  FAIL("nothing was placed: " << queue.ShortDebugString() << " " << list.ShortDebugString());
  return {};
}

absl::Status RunningCoordinator::Report(const v1::DesiredAttempt& attempt,
                                        std::vector<v1::RankEvent> events) {
  v1::ReportEventsRequest request;
  request.set_worker("w1");
  request.set_session("s1");
  request.set_run(attempt.run());
  request.set_epoch(attempt.epoch());
  for (v1::RankEvent& event : events) {
    event.set_seq(next_seq_++);
    *request.add_events() = std::move(event);
  }
  v1::ReportEventsResponse response;
  return Call(workers().get(), &v1::Workers::Stub::ReportEvents, request, &response);
}

v1::Run RunningCoordinator::Run(const std::string& id) {
  v1::GetRunRequest request;
  request.set_id(id);
  v1::RunDetail detail;
  const absl::Status status =
      Call(experiments().get(), &v1::Experiments::Stub::GetRun, request, &detail);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return detail.run();
}

v1::ExperimentSpec SmallSpec(const std::string& name) {
  v1::ExperimentSpec spec;
  spec.set_name(name);
  spec.mutable_model()->set_d_model(32);
  spec.mutable_model()->set_n_layers(1);
  spec.mutable_model()->set_n_heads(2);
  spec.mutable_model()->set_max_seq_len(32);
  spec.mutable_model()->set_vocab_size(257);
  spec.mutable_data()->set_path("data/text");
  spec.mutable_data()->set_manifest_sha256(std::string(64, 'a'));
  spec.mutable_train()->set_tokens(200'000);
  spec.mutable_train()->set_global_batch_tokens(1024);
  return spec;
}

v1::RankEvent StartedEvent() {
  v1::RankEvent event;
  event.mutable_started()->set_pid(1000);
  event.mutable_started()->set_recipe_version(1);
  event.mutable_started()->set_parameters(12345);
  return event;
}

v1::RankEvent StepEvent(int64_t step, double train_loss) {
  v1::RankEvent event;
  v1::StepRecord& record = *event.mutable_step();
  record.set_step(step);
  record.set_tokens(step * 1024);
  record.set_flops(static_cast<double>(step) * 1e6);
  record.set_active_seconds(static_cast<double>(step) * 0.25);
  v1::Sample& sample = *record.add_samples();
  sample.set_name("train_loss");
  sample.set_value(train_loss);
  return event;
}

v1::RankEvent ValidationEvent(int64_t step, double val_loss) {
  v1::RankEvent event = StepEvent(step, val_loss);
  event.mutable_step()->mutable_samples(0)->set_name("val_loss");
  return event;
}

v1::RankEvent ExitEvent(v1::ExitClass exit_class, int64_t step) {
  v1::RankEvent event;
  event.mutable_exited()->set_class_(exit_class);
  event.mutable_exited()->set_step(step);
  return event;
}

}  // namespace ddl::coordinator
