#include "coordinator/core/lineage.h"

#include <catch2/catch.hpp>

namespace ddl::coordinator {
namespace {

void AddAttempt(v1::RunRecord* run, uint64_t epoch, v1::AttemptState state, int64_t resumed_step) {
  v1::AttemptRecord* attempt = run->add_attempts();
  attempt->set_epoch(epoch);
  attempt->set_state(state);
  attempt->add_ranks()->set_started(resumed_step >= 0);
  if (resumed_step >= 0) attempt->mutable_rank_zero()->set_resumed_step(resumed_step);
}

void AddCheckpoint(v1::RunRecord* run, uint64_t epoch, int64_t step,
                   v1::CheckpointState state = v1::CHECKPOINT_STATE_COMMITTED) {
  v1::CheckpointRecord* checkpoint = run->add_checkpoints();
  checkpoint->set_epoch(epoch);
  checkpoint->set_step(step);
  checkpoint->set_state(state);
}

std::vector<std::pair<uint64_t, int64_t>> Keys(
    const std::vector<const v1::CheckpointRecord*>& checkpoints) {
  std::vector<std::pair<uint64_t, int64_t>> keys;
  for (const auto* checkpoint : checkpoints) {
    keys.emplace_back(checkpoint->epoch(), checkpoint->step());
  }
  return keys;
}

using K = std::vector<std::pair<uint64_t, int64_t>>;

TEST_CASE("A checkpoint past the step at which a later attempt resumed is off the lineage") {
  v1::RunRecord run;
  run.mutable_spec()->mutable_checkpoint()->set_keep_last(2);
  AddAttempt(&run, 1, v1::ATTEMPT_STATE_FAILED, 0);
  AddAttempt(&run, 2, v1::ATTEMPT_STATE_FAILED, 20);
  for (const int64_t step : {10, 20, 30}) AddCheckpoint(&run, 1, step);
  AddCheckpoint(&run, 2, 30);
  CHECK(Keys(Restorable(run)) == K{{2, 30}, {1, 20}, {1, 10}});
  CHECK(Keys(Superfluous(run)) == K{{1, 30}, {1, 10}});
}

TEST_CASE("An attempt that never started has replaced nothing") {
  v1::RunRecord run;
  AddAttempt(&run, 1, v1::ATTEMPT_STATE_FAILED, 0);
  AddAttempt(&run, 3, v1::ATTEMPT_STATE_LOST, -1);
  AddCheckpoint(&run, 1, 10);
  CHECK(Keys(Restorable(run)) == K{{1, 10}});
  CHECK(LineageOf(run).superseded_after.empty());
}

TEST_CASE("Nothing is deleted while a live attempt may be restoring") {
  v1::RunRecord run;
  run.mutable_spec()->mutable_checkpoint()->set_keep_last(2);
  AddAttempt(&run, 1, v1::ATTEMPT_STATE_FAILED, 0);
  for (const int64_t step : {10, 20, 30}) AddCheckpoint(&run, 1, step);
  CHECK(Superfluous(run).size() == 1);
  AddAttempt(&run, 2, v1::ATTEMPT_STATE_LAUNCHING, -1);
  CHECK(Superfluous(run).empty());
  run.mutable_attempts(1)->mutable_ranks(0)->set_started(true);
  run.mutable_attempts(1)->mutable_rank_zero()->set_resumed_step(30);
  CHECK(Keys(Superfluous(run)) == K{{1, 10}});
}

TEST_CASE("Corrupt and deleted checkpoints are not handed out") {
  v1::RunRecord run;
  AddAttempt(&run, 1, v1::ATTEMPT_STATE_FAILED, 0);
  AddCheckpoint(&run, 1, 10, v1::CHECKPOINT_STATE_CORRUPT);
  AddCheckpoint(&run, 1, 20, v1::CHECKPOINT_STATE_DELETING);
  AddCheckpoint(&run, 1, 30, v1::CHECKPOINT_STATE_GONE);
  CHECK(Restorable(run).empty());
}

TEST_CASE("Points after the step at which the next attempt resumed are superseded") {
  v1::RunRecord run;
  AddAttempt(&run, 1, v1::ATTEMPT_STATE_FAILED, 0);
  AddAttempt(&run, 2, v1::ATTEMPT_STATE_FAILED, 20);
  AddAttempt(&run, 4, v1::ATTEMPT_STATE_RUNNING, 10);
  const std::map<uint64_t, int64_t> expected = {{1, 10}, {2, 10}};
  CHECK(LineageOf(run).superseded_after == expected);
}

}  // namespace
}  // namespace ddl::coordinator
