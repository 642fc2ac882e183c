#include "worker/train/launch_proto.h"

#include "tests/worker/train/rank_program.h"

namespace ddl {
namespace {

using Catch::Matchers::Contains;

absl::StatusOr<Launch> Read(const RankRun& run, const v1::RankLaunch& proto) {
  const std::string path = run.folder() / "launch.pb";
  Spit(path, proto.SerializeAsString());
  return ReadLaunch(path);
}

TEST_CASE("A launch carries spec and placement as plain numbers") {
  const RankRun run;
  v1::RankLaunch proto = run.Launch(7);
  v1::CommittedCheckpoint& checkpoint = *proto.add_checkpoints();
  checkpoint.set_folder("a/b");
  checkpoint.set_step(5);
  checkpoint.set_epoch(6);
  const auto launch = Read(run, proto);
  REQUIRE(launch.ok());
  CHECK(launch->epoch == 7);
  CHECK(launch->model.d_model == 16);
  CHECK(launch->model.head_dim == 8);
  CHECK(launch->model.d_ff == 42);
  CHECK(launch->model.residual.kind == "ddl");
  CHECK(launch->model.residual.v_sigmoid);
  CHECK(launch->train.step_sequences == 8);
  CHECK(launch->train.StepTokens() == 128);
  CHECK(launch->train.Steps() == 80);
  CHECK(launch->train.flops_per_token > 0);
  CHECK(launch->optimizer.adamw_peak == 3e-3);
  CHECK(launch->schedule.total_tokens == 80 * 128);
  REQUIRE(launch->checkpoints.size() == 1);
  CHECK(launch->checkpoints[0].epoch == 6);
}

TEST_CASE("A launch that breaks a rule names it") {
  const RankRun run;
  v1::RankLaunch proto = run.Launch(1);
  CHECK(absl::IsNotFound(ReadLaunch(run.folder() / "nowhere").status()));
  Spit(run.folder() / "garbage", "garbage");
  CHECK(absl::IsInvalidArgument(ReadLaunch(run.folder() / "garbage").status()));
  const auto message = [&] { return std::string(Read(run, proto).status().message()); };
  proto.set_world_size(2);
  CHECK_THAT(message(), Contains("world_size must be parallel.ranks 1, got 2"));
  proto.set_world_size(1);
  proto.set_rank(1);
  CHECK_THAT(message(), Contains("rank must be below world_size 1, got 1"));
  proto.set_rank(0);
  proto.mutable_spec()->mutable_model()->set_n_layers(0);
  CHECK_THAT(message(), Contains("model.n_layers"));
}

}  // namespace
}  // namespace ddl
