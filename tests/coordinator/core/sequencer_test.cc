#include "coordinator/core/sequencer.h"

#include "tests/coordinator/core/service_model.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("Each start opens the next term of the same cluster") {
  ServiceModel model;
  const std::string cluster = model.sequencer->core().state().cluster_id;
  CHECK(model.sequencer->core().state().term == 1);
  model.Restart();
  CHECK(model.sequencer->core().state().term == 2);
  CHECK(model.sequencer->core().state().cluster_id == cluster);
}

TEST_CASE("What was not flushed is lost in a crash, what was flushed is not") {
  ServiceModel model;
  const std::string kept = model.Submit("a", ServiceModel::Spec())->runs(0).id();
  REQUIRE(model.sequencer->Flush().ok());
  const std::string lost = model.Submit("b", ServiceModel::Spec())->runs(0).id();
  CHECK(model.sequencer->core().state().version > model.sequencer->committed_version());
  model.Restart();
  CHECK(model.sequencer->core().state().runs.count(kept) == 1);
  CHECK(model.sequencer->core().state().runs.count(lost) == 0);
}

TEST_CASE("A restart replays to the same hash, with and without a snapshot") {
  SequencerSettings settings;
  settings.events_per_snapshot = 7;
  ServiceModel model(settings);
  model.Worker("w1", 2);
  for (int i = 0; i < 9; ++i) {
    REQUIRE(model.Submit(absl::StrCat("r", i), ServiceModel::Spec()).ok());
    model.sequencer->Tick(model.As(""));
    REQUIRE(model.sequencer->Flush().ok());
  }
  CHECK(model.store.snapshot_seq > 0);
  const std::string hash = model.sequencer->core().Hash();
  absl::StatusOr<Core> replayed = ReplayJournal(&model.store, CoreSettings());
  REQUIRE(replayed.ok());
  CHECK(replayed->Hash() == hash);
}

TEST_CASE("A journal that does not replay stops the start with the record's number") {
  ServiceModel model;
  REQUIRE(model.Submit("a", ServiceModel::Spec()).ok());
  REQUIRE(model.sequencer->Flush().ok());
  model.store.journal.push_back(model.store.journal.back());
  const absl::Status status = ReplayJournal(&model.store, CoreSettings()).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(std::string(status.message()).find("journal record 4") != std::string::npos);
}

TEST_CASE("While the disk is full nothing changes, and afterwards everything is there") {
  ServiceModel model;
  model.store.full = true;
  REQUIRE(model.Submit("a", ServiceModel::Spec()).ok());
  CHECK(absl::IsResourceExhausted(model.sequencer->Flush()));
  CHECK(absl::IsResourceExhausted(model.Submit("b", ServiceModel::Spec()).status()));
  const uint64_t version = model.sequencer->core().state().version;
  model.Pass(absl::Minutes(10));
  model.sequencer->Tick(model.As(""));
  CHECK(model.sequencer->core().state().version == version);
  model.store.full = false;
  REQUIRE(model.sequencer->Flush().ok());
  REQUIRE(model.Submit("b", ServiceModel::Spec()).ok());
  REQUIRE(model.sequencer->Flush().ok());
  model.Restart();
  CHECK(model.sequencer->core().state().runs.size() == 2);
}

TEST_CASE("A silent worker is suspect after 10 s and lost after 30 s, and its run goes elsewhere") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  model.Worker("w2", 1);
  for (int half_seconds = 0; half_seconds < 66; ++half_seconds) {
    model.Pass(absl::Milliseconds(500));
    if (half_seconds % 4 == 0) REQUIRE(model.Beat("w2").ok());
    model.sequencer->Tick(model.As(""));
  }
  const State& state = model.sequencer->core().state();
  CHECK(state.workers.at("w1").state() == v1::WORKER_STATE_LOST);
  CHECK(state.workers.at("w2").state() == v1::WORKER_STATE_READY);
  CHECK(state.runs.at(run).attempts_size() == 2);
  CHECK(LastAttempt(state.runs.at(run))->ranks(0).worker() == "w2");
  CHECK(absl::IsFailedPrecondition(model.Beat("w1").status()));
}

TEST_CASE("After a restart no attempt is lost before the adoption window of 60 s ends") {
  ServiceModel model;
  const std::string run = model.PlacedRun();
  REQUIRE(model.sequencer->Flush().ok());
  model.Pass(absl::Minutes(20));
  model.Restart();
  for (int second = 0; second < 59; ++second) {
    model.Pass(absl::Seconds(1));
    model.sequencer->Tick(model.As(""));
  }
  CHECK(LiveAttempt(model.sequencer->core().state().runs.at(run)) != nullptr);
  CHECK(FreeSlots(model.sequencer->core().state().workers.at("w1")) == 0);
  model.Pass(absl::Seconds(2));
  model.sequencer->Tick(model.As(""));
  model.sequencer->Tick(model.As(""));
  CHECK(LiveAttempt(model.sequencer->core().state().runs.at(run)) == nullptr);
}

TEST_CASE("Changes are told once") {
  ServiceModel model;
  model.sequencer->TakeChanges();
  const std::string run = model.Submit("a", ServiceModel::Spec())->runs(0).id();
  CHECK(model.sequencer->TakeChanges().changed_runs == std::vector<std::string>{run});
  CHECK_FALSE(model.sequencer->TakeChanges().changed);
}

}  // namespace
}  // namespace ddl::coordinator
