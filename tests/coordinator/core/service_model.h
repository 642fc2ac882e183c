// A sequencer under test over a store in memory, with the calls that tests need most.
#pragma once

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/core/sequencer.h"
#include "tests/coordinator/core/memory_store.h"

namespace ddl::coordinator {

class ServiceModel {
 public:
  explicit ServiceModel(SequencerSettings its_settings = {}) : settings(its_settings) { Restart(); }

  // A new process over the same store.
  void Restart() {
    sequencer.reset();
    absl::StatusOr<Sequencer> recovered = Sequencer::Recover(&store, settings, As("operator"));
    REQUIRE(recovered.ok());
    sequencer.emplace(*std::move(recovered));
    REQUIRE(sequencer->Flush().ok());
  }
  Caller As(const std::string& principal) {
    return {principal, absl::FromUnixSeconds(1'700'000'000) + uptime, uptime, ++entropy};
  }
  static v1::ExperimentSpec Spec(uint32_t ranks = 1) {
    v1::ExperimentSpec spec;
    spec.set_name("tiny");
    spec.mutable_model()->set_d_model(16);
    spec.mutable_model()->set_n_heads(2);
    spec.mutable_model()->set_n_layers(1);
    spec.mutable_model()->set_max_seq_len(8);
    spec.mutable_model()->set_vocab_size(257);
    spec.mutable_data()->set_path("text");
    spec.mutable_train()->set_tokens(1280);
    spec.mutable_train()->set_global_batch_tokens(128);
    spec.mutable_train()->set_micro_batch_sequences(1);
    spec.mutable_eval()->set_tokens(8);
    spec.mutable_parallel()->set_ranks(ranks);
    return spec;
  }
  absl::StatusOr<v1::SubmitExperimentResponse> Submit(const std::string& request_id,
                                                      const v1::ExperimentSpec& spec,
                                                      bool queue = true) {
    v1::SubmitExperimentRequest request;
    request.set_request_id(request_id);
    *request.mutable_spec() = spec;
    request.set_queue(queue);
    return sequencer->Submit(request, As("ada"));
  }
  v1::RegisterRequest Registration(const std::string& worker, uint32_t slots,
                                   const std::string& session = "s1",
                                   const std::string& boot = "b1") {
    v1::RegisterRequest request;
    request.set_request_id(absl::StrCat("register-", ++entropy));
    request.set_worker(worker);
    request.set_session(session);
    request.set_boot_id(boot);
    request.set_pool("default");
    for (uint32_t i = 0; i < slots; ++i) request.add_slots()->set_index(i);
    return request;
  }
  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) {
    return sequencer->Register(request, As(request.worker()));
  }
  absl::StatusOr<v1::HeartbeatResponse> Beat(const std::string& worker,
                                             const std::string& session = "s1") {
    v1::HeartbeatRequest request;
    request.set_worker(worker);
    request.set_session(session);
    request.set_sequence(++sequence);
    request.set_term_seen(sequencer->core().state().term);
    *request.mutable_inventory() = inventory;
    return sequencer->Heartbeat(request, As(worker));
  }
  // A worker that may be used.
  void Worker(const std::string& worker, uint32_t slots) {
    REQUIRE(Register(Registration(worker, slots)).ok());
    REQUIRE(Beat(worker).ok());
  }
  void Hold(const std::string& run, uint64_t epoch, v1::RankState state, uint64_t spool_seq = 0) {
    inventory.Clear();
    v1::InventoryAttempt* held = inventory.Add();
    held->set_run(run);
    held->set_epoch(epoch);
    held->add_ranks()->set_state(state);
    held->mutable_ranks(0)->set_spool_seq(spool_seq);
  }
  v1::ReportEventsRequest Report(const std::string& run, uint64_t epoch, uint64_t first_seq,
                                 uint64_t last_seq) {
    v1::ReportEventsRequest request;
    request.set_worker("w1");
    request.set_session("s1");
    request.set_run(run);
    request.set_epoch(epoch);
    for (uint64_t seq = first_seq; seq <= last_seq; ++seq) {
      v1::RankEvent* event = request.add_events();
      event->set_seq(seq);
      event->mutable_step()->set_step(static_cast<int64_t>(seq));
      v1::Sample* sample = event->mutable_step()->add_samples();
      sample->set_name("train_loss");
      sample->set_value(1.0 / static_cast<double>(seq));
    }
    return request;
  }
  // A run that is placed on worker w1.
  std::string PlacedRun() {
    Worker("w1", 1);
    const std::string run = Submit("submit-1", Spec())->runs(0).id();
    sequencer->Tick(As(""));
    REQUIRE(sequencer->core().state().runs.at(run).state() == v1::RUN_STATE_PLACED);
    return run;
  }
  void Pass(absl::Duration time) { uptime += time; }

  MemoryStore store;
  SequencerSettings settings;
  std::optional<Sequencer> sequencer;
  absl::Duration uptime = absl::Seconds(1000);
  uint64_t entropy = 1;
  uint64_t sequence = 0;
  google::protobuf::RepeatedPtrField<v1::InventoryAttempt> inventory;
};

}  // namespace ddl::coordinator
