// A core under test with the facts that tests need most. Every fact goes through Core::Apply.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coordinator/core/core.h"
#include "coordinator/core/times.h"

namespace ddl::coordinator {

class Ledger {
 public:
  Ledger() { CHECK(Term().ok()); }

  absl::Status Apply(v1::Event event) {
    if (event.fact_case() != v1::Event::kTermStarted) event.set_term(core.state().term);
    SetTime(now, event.mutable_time());
    event.set_principal("ada");
    absl::StatusOr<Effects> effects = core.Apply(event);
    if (!effects.ok()) return effects.status();
    last = *std::move(effects);
    journal.push_back(event);
    return absl::OkStatus();
  }
  absl::Status Term() {
    v1::Event event;
    event.set_term(core.state().term + 1);
    event.mutable_term_started()->set_term(core.state().term + 1);
    event.mutable_term_started()->set_cluster_id("c1");
    return Apply(event);
  }
  // A worker whose slots may be used.
  void Worker(const std::string& name, uint32_t slots, const std::string& boot = "b1",
              const std::string& session = "s1") {
    v1::Event event;
    v1::WorkerRegistered* fact = event.mutable_worker_registered();
    fact->set_name(name);
    fact->set_session(session);
    fact->set_boot_id(boot);
    fact->set_pool("default");
    for (uint32_t i = 0; i < slots; ++i) fact->add_slots()->set_index(i);
    REQUIRE(Apply(event).ok());
    Report(name);
  }
  void Report(const std::string& name) {
    v1::Event event;
    event.mutable_worker_reported()->set_name(name);
    REQUIRE(Apply(event).ok());
  }
  absl::Status WorkerState(const std::string& name, v1::WorkerState state) {
    v1::Event event;
    event.mutable_worker_state_changed()->set_name(name);
    event.mutable_worker_state_changed()->set_state(state);
    return Apply(event);
  }
  static v1::ExperimentSpec Spec(uint32_t ranks, int32_t priority = 50) {
    v1::ExperimentSpec spec;
    spec.set_name("run");
    spec.set_experiment("default");
    spec.mutable_parallel()->set_ranks(ranks);
    spec.mutable_resources()->set_pool("default");
    spec.mutable_resources()->set_priority(priority);
    spec.mutable_resources()->set_max_restarts(2);
    spec.mutable_resources()->set_max_infrastructure_restarts(4);
    spec.mutable_checkpoint()->set_keep_last(2);
    return spec;
  }
  // One experiment of one run; `id` has 8 characters, the experiment's is "x" and its last 7.
  void Run(const std::string& id, const v1::ExperimentSpec& spec) {
    v1::Event event;
    v1::ExperimentSubmitted* experiment = event.mutable_experiment_submitted();
    experiment->set_id("x" + id.substr(1));
    experiment->set_name(spec.name());
    experiment->set_kind("run");
    experiment->set_trials(1);
    REQUIRE(Apply(event).ok());
    v1::Event created;
    v1::RunCreated* run = created.mutable_run_created();
    run->set_id(id);
    run->set_experiment_id("x" + id.substr(1));
    *run->mutable_spec() = spec;
    run->set_residual("ddl/4");
    REQUIRE(Apply(created).ok());
  }
  // Applies what the core decides, until it decides nothing.
  void Settle() {
    for (int round = 0; round < 20; ++round) {
      const std::vector<v1::Event> facts = core.Decide(now, ++entropy);
      if (facts.empty()) return;
      for (const v1::Event& fact : facts) {
        absl::StatusOr<Effects> effects = core.Apply(fact);
        REQUIRE(effects.ok());
        journal.push_back(fact);
      }
    }
    FAIL("the core never stops deciding");
  }
  absl::Status Observe(const std::string& run, uint64_t epoch, uint32_t rank, v1::RankState state) {
    v1::Event event;
    event.mutable_rank_observed()->set_run(run);
    event.mutable_rank_observed()->set_epoch(epoch);
    event.mutable_rank_observed()->set_rank(rank);
    event.mutable_rank_observed()->set_state(state);
    return Apply(event);
  }
  absl::Status RankEvent(const std::string& run, uint64_t epoch, uint32_t rank,
                         const v1::RankEvent& said) {
    v1::Event event;
    event.mutable_rank_event_applied()->set_run(run);
    event.mutable_rank_event_applied()->set_epoch(epoch);
    event.mutable_rank_event_applied()->set_rank(rank);
    *event.mutable_rank_event_applied()->mutable_event() = said;
    return Apply(event);
  }
  absl::Status Started(const std::string& run, uint64_t epoch, uint32_t rank, int64_t step = 0) {
    v1::RankEvent said;
    said.mutable_started()->set_resumed_step(step);
    return RankEvent(run, epoch, rank, said);
  }
  absl::Status Exited(const std::string& run, uint64_t epoch, uint32_t rank,
                      v1::ExitClass exit_class) {
    v1::RankEvent said;
    said.mutable_exited()->set_class_(exit_class);
    said.mutable_exited()->set_message("it said so");
    return RankEvent(run, epoch, rank, said);
  }
  // The rank records its exit and its process is gone.
  void End(const std::string& run, uint64_t epoch, uint32_t rank, v1::ExitClass exit_class) {
    REQUIRE(Exited(run, epoch, rank, exit_class).ok());
    REQUIRE(Observe(run, epoch, rank, v1::RANK_STATE_EXITED).ok());
  }
  absl::Status Commit(const std::string& run, uint64_t epoch, int64_t step) {
    v1::Event event;
    v1::CheckpointCommitted* fact = event.mutable_checkpoint_committed();
    fact->set_run(run);
    fact->set_epoch(epoch);
    fact->mutable_checkpoint()->set_step(step);
    fact->mutable_checkpoint()->set_folder(Folder(run, epoch, step));
    fact->mutable_checkpoint()->set_manifest_sha256(std::string(64, 'a'));
    return Apply(event);
  }
  static std::string Folder(const std::string& run, uint64_t epoch, int64_t step) {
    return absl::StrCat(run, "/e", epoch, "/step-", step);
  }
  absl::Status Cancel(const std::string& run) {
    v1::Event event;
    event.mutable_run_canceled()->set_run(run);
    return Apply(event);
  }
  absl::Status Pause(const std::string& run) {
    v1::Event event;
    event.mutable_run_pause_requested()->set_run(run);
    return Apply(event);
  }
  absl::Status Resume(const std::string& run) {
    v1::Event event;
    event.mutable_run_resumed()->set_run(run);
    return Apply(event);
  }
  const v1::RunRecord& At(const std::string& run) const { return core.state().runs.at(run); }
  const v1::AttemptRecord& Attempt(const std::string& run) const {
    return *LastAttempt(core.state().runs.at(run));
  }
  uint32_t Free(const std::string& worker) const {
    return FreeSlots(core.state().workers.at(worker));
  }

  Core core;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  uint64_t entropy = 1;
  Effects last;
  std::vector<v1::Event> journal;
};

inline constexpr char kRun[] = "aaaa0001";
inline constexpr char kOther[] = "bbbb0002";

// kRun has its one slot on w1.
inline Ledger PlacedLedger() {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  return ledger;
}

// kRun's rank 0 runs on w1.
inline Ledger RunningLedger() {
  Ledger ledger = PlacedLedger();
  REQUIRE(ledger.Started(kRun, 1, 0).ok());
  return ledger;
}

}  // namespace ddl::coordinator
