// The whole program, as processes: training, killing, resuming, and what it does with bad input.
#include "worker/train/run_rank.h"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>

#include "tests/common/small_disk.h"
#include "tests/worker/train/rank_program.h"

namespace ddl {
namespace {

using Catch::Matchers::Contains;

constexpr int64_t kSteps = 80;

// An uninterrupted run, made once for all tests of this program.
struct Uninterrupted {
  RankRun run;
  std::vector<v1::RankEvent> events;
  std::string log;
  Uninterrupted() {
    RankProcess rank(run.Launch(1));
    REQUIRE(rank.Wait() == 0);
    events = rank.Events();
    log = rank.Log();
  }
};
const Uninterrupted& Whole() {
  static const Uninterrupted whole;
  return whole;
}

TEST_CASE("A run records every step, validates, leaves checkpoints and says how it ended") {
  const std::vector<v1::RankEvent>& events = Whole().events;
  REQUIRE(events.front().has_started());
  CHECK(events.front().started().engine() == "autograd");
  CHECK(events.front().started().resumed_step() == 0);
  CHECK(Exit(events).class_() == v1::EXIT_CLASS_SUCCESS);
  CHECK(Exit(events).step() == kSteps);
  int64_t steps = 0;
  int64_t validations = 0;
  double loss = 0;
  for (const v1::RankEvent& event : events) {
    if (!event.has_step()) continue;
    CHECK(event.step().tokens() == event.step().step() * 128);
    CHECK(event.step().flops() == Approx(static_cast<double>(event.step().tokens()) *
                                         events.front().started().flops_per_token()));
    const v1::Sample& first = event.step().samples(0);
    if (first.name() == "val_loss") {
      ++validations;
    } else {
      CHECK(event.step().step() == ++steps);
      loss = first.value();
    }
  }
  CHECK(steps == kSteps);
  CHECK(validations == 4);
  CHECK(loss < 4.5);  // From log(257) = 5.55.
  const std::vector<v1::CheckpointPrepared> prepared = Prepared(events);
  REQUIRE_FALSE(prepared.empty());
  CHECK(prepared.back().final());
  CHECK(prepared.back().step() == kSteps);
}

TEST_CASE("The same launch gives the same bits again") {
  const RankRun run;
  RankProcess rank(run.Launch(1));
  REQUIRE(rank.Wait() == 0);
  CHECK(ExactPoints(rank.Events(), 0) == ExactPoints(Whole().events, 0));
  CHECK(ParametersSha256(rank.Log()) == ParametersSha256(Whole().log));
}

// Goes on with `epoch` from what the attempt before prepared, and compares with Whole().
void ResumeAndCompare(const RankRun& run, const std::vector<v1::RankEvent>& before,
                      uint64_t epoch) {
  v1::RankLaunch launch = run.Launch(epoch);
  AddCheckpoints(Prepared(before), epoch - 1, &launch);
  RankProcess rank(launch);
  REQUIRE(rank.Wait() == 0);
  const std::vector<v1::RankEvent> events = rank.Events();
  const int64_t step = Prepared(before).back().step();
  CHECK(events.front().started().resumed_step() == step);
  CHECK(events.front().started().resume_difference().empty());
  CHECK(ExactPoints(events, 0) == ExactPoints(Whole().events, step));
  CHECK(ParametersSha256(rank.Log()) == ParametersSha256(Whole().log));
}

TEST_CASE("A run of the seed's recipe goes on from Muon's momentum with the same bits") {
  const RankRun run;
  const auto seed_recipe = [&](uint64_t epoch) {
    v1::RankLaunch launch = run.Launch(epoch);
    v1::OptimSpec& optim = *launch.mutable_spec()->mutable_optim();
    optim.set_type("muon");
    optim.mutable_schedule()->set_type("warmup_stable_decay");
    optim.mutable_schedule()->set_decay_tokens(30 * 128);
    return launch;
  };
  RankProcess whole(seed_recipe(1));
  REQUIRE(whole.Wait() == 0);
  const std::vector<v1::RankEvent> events = whole.Events();
  std::vector<v1::CheckpointPrepared> early = Prepared(events);
  while (early.back().step() > kSteps / 2) early.pop_back();
  REQUIRE(early.back().step() >= 10);
  v1::RankLaunch launch = seed_recipe(2);
  AddCheckpoints(early, 1, &launch);
  RankProcess rank(launch);
  REQUIRE(rank.Wait() == 0);
  CHECK(rank.Events().front().started().resumed_step() == early.back().step());
  CHECK(ExactPoints(rank.Events(), 0) == ExactPoints(events, early.back().step()));
  CHECK(ParametersSha256(rank.Log()) == ParametersSha256(whole.Log()));
  CHECK(ParametersSha256(rank.Log()) != ParametersSha256(Whole().log));
}

TEST_CASE("A killed run resumes from its last checkpoint and ends with the same bits") {
  const RankRun run;
  RankProcess rank(run.Launch(1));
  rank.WaitUntil([](const auto& events) {
    const auto prepared = Prepared(events);
    return !prepared.empty() && LastStep(events) >= 23 &&
           LastStep(events) > prepared.back().step() + 1;
  });
  rank.Signal(SIGKILL);
  REQUIRE(rank.Wait() == 128 + SIGKILL);
  const std::vector<v1::RankEvent> events = rank.Events();
  const int64_t killed = LastStep(events);
  const int64_t back = Prepared(events).back().step();
  std::cout << "killed at " << killed << ", back at " << back << ", gap " << killed - back << "\n";
  REQUIRE(killed > 20);
  REQUIRE(killed < kSteps);
  REQUIRE(killed > back);
  ResumeAndCompare(run, events, 2);
}

TEST_CASE("SIGTERM ends a run behind its step with a checkpoint and exit 75, and it goes on") {
  const RankRun run;
  RankProcess rank(run.Launch(1));
  rank.WaitUntil([](const auto& events) { return LastStep(events) >= 13; });
  rank.Signal(SIGTERM);
  REQUIRE(rank.Wait() == 75);
  const std::vector<v1::RankEvent> events = rank.Events();
  CHECK(Exit(events).class_() == v1::EXIT_CLASS_PREEMPTED);
  CHECK(Prepared(events).back().step() == Exit(events).step());
  CHECK(LastStep(events) == Exit(events).step());
  ResumeAndCompare(run, events, 2);
}

TEST_CASE("A lease that nobody renews ends a run as SIGTERM does") {
  const RankRun run;
  v1::RankLaunch launch = run.Launch(1);
  launch.set_lease_file(run.folder() / "lease");
  launch.set_orphan_ttl_seconds(0.05);
  Spit(launch.lease_file(), "");
  RankProcess rank(launch);
  CHECK(rank.Wait() == 75);
}

// A run that was stopped, and a changed copy of its newest checkpoints.
struct Stopped {
  RankRun run;
  std::vector<v1::RankEvent> events;
  v1::RankLaunch launch;
  Stopped() {
    RankProcess rank(run.Launch(1));
    rank.WaitUntil([](const auto& seen) { return Prepared(seen).size() >= 2; });
    rank.Signal(SIGTERM);
    REQUIRE(rank.Wait() == 75);
    events = rank.Events();
    launch = run.Launch(2);
    AddCheckpoints(Prepared(events), 1, &launch);
  }
  std::string File(int checkpoint, const std::string& name) const {
    return run.CheckpointRoot() + "/" + launch.checkpoints(checkpoint).folder() + "/" + name;
  }
};

TEST_CASE("A damaged checkpoint is refused aloud and the one before it used") {
  const Stopped stopped;
  const std::string shard = stopped.File(0, "shard-0.safetensors");
  const std::string manifest = stopped.File(0, "manifest.pb");
  SECTION("a bit of a shard flipped") {
    std::string bytes = Slurp(shard);
    bytes[bytes.size() / 2] ^= 4;
    Spit(shard, bytes);
  }
  SECTION("a shard truncated") { std::filesystem::resize_file(shard, 100); }
  SECTION("a shard missing") { std::filesystem::remove(shard); }
  SECTION("a shard of another checkpoint") {
    std::filesystem::copy_file(stopped.File(1, "shard-0.safetensors"), shard,
                               std::filesystem::copy_options::overwrite_existing);
  }
  SECTION("a bit of the manifest flipped") {
    std::string bytes = Slurp(manifest);
    bytes[10] ^= 1;
    Spit(manifest, bytes);
  }
  SECTION("a manifest missing") { std::filesystem::remove(manifest); }
  SECTION("two checkpoints swapped") {
    const std::string first = stopped.File(0, "");
    const std::string second = stopped.File(1, "");
    std::filesystem::rename(first.substr(0, first.size() - 1), stopped.run.folder() / "x");
    std::filesystem::rename(second.substr(0, second.size() - 1), first.substr(0, first.size() - 1));
    std::filesystem::rename(stopped.run.folder() / "x", second.substr(0, second.size() - 1));
    // Both are in the wrong place now; a third one has to be there.
    if (stopped.launch.checkpoints_size() < 3) return;
  }
  RankProcess rank(stopped.launch);
  CHECK(rank.Wait() == 0);
  const std::vector<v1::RankEvent> events = rank.Events();
  REQUIRE(events.front().has_checkpoint_rejected());
  CHECK(events.front().checkpoint_rejected().folder() == stopped.launch.checkpoints(0).folder());
  CHECK_THAT(rank.Log(), Contains("is refused"));
  for (const v1::RankEvent& event : events) {
    if (!event.has_started()) continue;
    CHECK(event.started().resumed_step() > 0);
    CHECK(event.started().resumed_step() < stopped.launch.checkpoints(0).step());
  }
  CHECK(ParametersSha256(rank.Log()) == ParametersSha256(Whole().log));
}

TEST_CASE("With checkpoints and none good a run ends, it never starts from zero") {
  const Stopped stopped;
  for (int i = 0; i < stopped.launch.checkpoints_size(); ++i) {
    Spit(stopped.File(i, "shard-0.safetensors"), "x");
  }
  RankProcess rank(stopped.launch);
  CHECK(rank.Wait() == 1);
  const std::vector<v1::RankEvent> events = rank.Events();
  CHECK(Exit(events).class_() == v1::EXIT_CLASS_CHECKPOINT);
  CHECK(LastStep(events) == 0);
}

TEST_CASE("A checkpoint of other shapes is refused") {
  Stopped stopped;
  stopped.launch.mutable_spec()->mutable_model()->set_d_model(20);
  RankProcess rank(stopped.launch);
  CHECK(rank.Wait() == 1);
  CHECK(Exit(rank.Events()).class_() == v1::EXIT_CLASS_CHECKPOINT);
  CHECK_THAT(rank.Log(), Contains("must be F32 of shape [257,20], got F32 of shape [257,16]"));
}

TEST_CASE("Other threads than the checkpoint's are said and do not stop the run") {
  Stopped stopped;
  stopped.launch.mutable_spec()->mutable_parallel()->set_threads_per_rank(2);
  stopped.launch.mutable_spec()->mutable_train()->set_tokens(128);  // Nothing is left to train.
  RankProcess rank(stopped.launch);
  CHECK(rank.Wait() == 0);
  CHECK(rank.Events().front().started().resume_difference() == "threads_per_rank 1 -> 2");
}

TEST_CASE("A full disk costs a checkpoint, not the run") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const RankRun run;
  v1::RankLaunch launch = run.Launch(1);
  launch.set_checkpoint_root(disk.folder().path());
  launch.set_attempt_checkpoint_folder(disk.folder() / "e1");
  RankProcess rank(launch);
  REQUIRE(rank.Wait() == 0);
  int64_t failed = 0;
  for (const v1::RankEvent& event : rank.Events()) {
    if (!event.has_checkpoint_failed()) continue;
    ++failed;
    CHECK(event.checkpoint_failed().reason() == "disk_full");
  }
  CHECK(failed >= 8);
  CHECK(std::filesystem::is_empty(disk.folder() / "e1"));
  CHECK(ParametersSha256(rank.Log()) == ParametersSha256(Whole().log));
}

TEST_CASE("Two ranks give the losses of one rank with the same global batch") {
  const RankRun run;
  const uint32_t port = FreePort();
  std::vector<std::unique_ptr<RankProcess>> ranks;
  for (uint32_t rank = 0; rank < 2; ++rank) {
    v1::RankLaunch launch = run.Launch(1, rank);
    launch.set_world_size(2);
    launch.mutable_spec()->mutable_parallel()->set_ranks(2);
    // Another order of additions than one rank's.
    launch.mutable_spec()->mutable_train()->set_micro_batch_sequences(1);
    launch.set_rendezvous_host("127.0.0.1");
    launch.set_rendezvous_port(port);
    launch.set_bind_address("127.0.0.1");
    ranks.push_back(std::make_unique<RankProcess>(launch));
  }
  for (const auto& rank : ranks) REQUIRE(rank->Wait() == 0);
  CHECK(ParametersSha256(ranks[0]->Log()) == ParametersSha256(ranks[1]->Log()));
  std::vector<double> want;
  std::vector<double> got;
  const auto losses = [](const std::vector<v1::RankEvent>& events, std::vector<double>* out) {
    for (const v1::RankEvent& event : events) {
      for (const v1::Sample& sample : event.step().samples()) {
        if (sample.name() == "train_loss" || sample.name() == "val_loss") {
          out->push_back(sample.value());
        }
      }
    }
  };
  losses(Whole().events, &want);
  losses(ranks[0]->Events(), &got);
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - want[i]) / want[i]);
  }
  std::cout << "largest relative difference of " << got.size() << " losses: " << worst << "\n";
  CHECK(worst > 0);
  CHECK(worst < 1e-5);
  CHECK(LastStep(ranks[1]->Events()) == 0);  // Only rank 0 records.

  // Gradients are as many floats as there are parameters; each step sums them up and a few numbers.
  const std::vector<v1::RankEvent> events = ranks[0]->Events();
  const double gradient_bytes = 4.0 * static_cast<double>(events.front().started().parameters());
  int64_t steps = 0;
  for (const v1::RankEvent& event : events) {
    for (const v1::Sample& sample : event.step().samples()) {
      if (sample.name() == "straggler_ratio") {
        ++steps;
        CHECK(sample.value() >= 1);
        CHECK(sample.value() < 2);  // Of two ranks the slowest is below twice the mean.
      }
      if (sample.name() == "comm_seconds") CHECK(sample.value() > 0);
      if (sample.name() != "comm_bytes") continue;
      CHECK(sample.value() > gradient_bytes);
      CHECK(sample.value() < gradient_bytes + 4096);
    }
  }
  CHECK(steps == LastStep(events));
}

TEST_CASE("A rank whose peer is killed ends at once as an infrastructure failure") {
  const RankRun run;
  const uint32_t port = FreePort();
  std::vector<std::unique_ptr<RankProcess>> ranks;
  for (uint32_t rank = 0; rank < 2; ++rank) {
    v1::RankLaunch launch = run.Launch(1, rank);
    launch.set_world_size(2);
    launch.mutable_spec()->mutable_parallel()->set_ranks(2);
    launch.set_rendezvous_host("127.0.0.1");
    launch.set_rendezvous_port(port);
    launch.set_bind_address("127.0.0.1");
    ranks.push_back(std::make_unique<RankProcess>(launch));
  }
  ranks[0]->WaitUntil([](const auto& events) { return LastStep(events) >= 5; });
  ranks[1]->Signal(SIGKILL);
  CHECK(ranks[0]->Wait() == 1);
  CHECK(Exit(ranks[0]->Events()).class_() == v1::EXIT_CLASS_INFRASTRUCTURE);
}

TEST_CASE("Bad data ends a run with exit 2 before its first step") {
  const RankRun run;
  std::filesystem::resize_file(run.DataFolder() + "/train-001.bin", 2000);
  RankProcess rank(run.Launch(1));
  CHECK(rank.Wait() == 2);
  const std::vector<v1::RankEvent> events = rank.Events();
  CHECK(events.size() == 1);
  CHECK(Exit(events).class_() == v1::EXIT_CLASS_USER);
  CHECK_THAT(Exit(events).message(), Contains("train-001.bin"));
}

TEST_CASE("A loss that is not finite ends a run or is skipped and counted, as the policy says") {
  const RankRun run;
  v1::RankLaunch launch = run.Launch(1);
  // Weights that no float32 holds after one step.
  launch.mutable_spec()->mutable_optim()->mutable_adamw()->set_lr(10);
  launch.mutable_spec()->mutable_optim()->mutable_adamw()->set_weight_decay(1e30);
  SECTION("fail") {
    RankProcess rank(launch);
    CHECK(rank.Wait() == 2);
    CHECK(Exit(rank.Events()).class_() == v1::EXIT_CLASS_USER);
    CHECK_THAT(Exit(rank.Events()).message(), Contains("must be finite"));
  }
  SECTION("skip") {
    launch.mutable_spec()->mutable_train()->set_nan_policy("skip");
    RankProcess rank(launch);
    CHECK(rank.Wait() == 0);
    double skipped = 0;
    int64_t notices = 0;
    for (const v1::RankEvent& event : rank.Events()) {
      notices += event.notice().message().ends_with("; skipped") ? 1 : 0;
      for (const v1::Sample& sample : event.step().samples()) {
        CHECK(std::isfinite(sample.value()));
        if (sample.name() == "nonfinite_steps") skipped += sample.value();
      }
    }
    CHECK(skipped > 70);
    CHECK(skipped == static_cast<double>(notices));
  }
}

}  // namespace
}  // namespace ddl
