// A run on synthetic data through the real ddl-rank: no folder, the same bits when it goes on, the
// same losses for one rank and two.
#include <catch2/catch.hpp>
#include <csignal>
#include <map>

#include "common/spec_rules.h"
#include "tests/worker/train/rank_program.h"

namespace ddl {
namespace {

// The launch of a run that asks for a dictionary of three keys, without a data folder.
v1::RankLaunch SyntheticLaunch(const RankRun& run, uint64_t epoch, uint32_t rank = 0) {
  v1::RankLaunch launch = run.Launch(epoch, rank);
  v1::ExperimentSpec& spec = *launch.mutable_spec();
  spec.clear_data();
  spec.mutable_data()->mutable_synthetic()->set_task("recall");
  spec.mutable_data()->mutable_synthetic()->set_pairs(3);
  spec.mutable_data()->mutable_synthetic()->set_symbols(5);
  spec.mutable_model()->clear_vocab_size();
  launch.set_data_folder(run.folder() / "not-there");
  return launch;
}

// Values of a series by step.
std::map<int64_t, double> SeriesOf(const std::vector<v1::RankEvent>& events,
                                   const std::string& name, const std::string& bucket = "") {
  std::map<int64_t, double> values;
  for (const v1::RankEvent& event : events) {
    for (const v1::Sample& sample : event.step().samples()) {
      if (sample.name() == name && sample.bucket() == bucket) {
        values[event.step().step()] = sample.value();
      }
    }
  }
  return values;
}

TEST_CASE("A synthetic run needs no folder, learns, and records accuracy by position") {
  const RankRun run;
  RankProcess rank(SyntheticLaunch(run, 1));
  REQUIRE(rank.Wait() == 0);
  const auto events = rank.Events();
  const auto loss = SeriesOf(events, "val_loss");
  REQUIRE(loss.size() == 4);
  // Ten tokens are known, five of them are values: it learns at least which may be answers.
  CHECK(loss.rbegin()->second < 2.0);  // From log(10) = 2.30.
  double sum = 0;
  for (int position = 6; position < 16; ++position) {
    const auto accuracy = SeriesOf(events, "val_position_accuracy", std::to_string(position));
    REQUIRE(accuracy.size() == 4);
    sum += accuracy.rbegin()->second;
  }
  CHECK(SeriesOf(events, "val_accuracy").rbegin()->second == Approx(sum / 10));
  CHECK(SeriesOf(events, "val_position_accuracy", "5").empty());
  CHECK(SeriesOf(events, "data_read_bytes").rbegin()->second == 0);
}

TEST_CASE("A synthetic run that was killed goes on to the same bits") {
  const RankRun whole_run;
  RankProcess whole(SyntheticLaunch(whole_run, 1));
  REQUIRE(whole.Wait() == 0);
  const RankRun run;
  RankProcess first(SyntheticLaunch(run, 1));
  first.WaitUntil([](const auto& events) {
    const auto prepared = Prepared(events);
    return !prepared.empty() && LastStep(events) > prepared.back().step() + 1;
  });
  first.Signal(SIGKILL);
  CHECK(first.Wait() == 128 + SIGKILL);
  const auto prepared = Prepared(first.Events());
  v1::RankLaunch launch = SyntheticLaunch(run, 2);
  AddCheckpoints(prepared, 1, &launch);
  RankProcess second(launch);
  REQUIRE(second.Wait() == 0);
  CHECK(ParametersSha256(second.Log()) == ParametersSha256(whole.Log()));
  CHECK(ExactPoints(second.Events(), 0) == ExactPoints(whole.Events(), prepared.back().step()));
}

TEST_CASE("Two ranks give the synthetic losses of one rank") {
  const RankRun one_run;
  RankProcess one(SyntheticLaunch(one_run, 1));
  REQUIRE(one.Wait() == 0);
  const RankRun run;
  const uint32_t port = FreePort();
  std::vector<v1::RankLaunch> launches;
  for (uint32_t rank = 0; rank < 2; ++rank) {
    v1::RankLaunch launch = SyntheticLaunch(run, 1, rank);
    launch.set_world_size(2);
    launch.mutable_spec()->mutable_parallel()->set_ranks(2);
    launch.set_rendezvous_host("127.0.0.1");
    launch.set_rendezvous_port(port);
    launch.set_bind_address("127.0.0.1");
    launches.push_back(launch);
  }
  RankProcess zero(launches[0]);
  RankProcess peer(launches[1]);
  REQUIRE(zero.Wait() == 0);
  REQUIRE(peer.Wait() == 0);
  for (const char* series : {"train_loss", "val_loss"}) {
    const auto want = SeriesOf(one.Events(), series);
    const auto got = SeriesOf(zero.Events(), series);
    REQUIRE(got.size() == want.size());
    for (const auto& [step, value] : want) CHECK(got.at(step) == Approx(value).epsilon(1e-5));
  }
}

}  // namespace
}  // namespace ddl
