// A training of every residual through the real ddl-rank, and trainings that it refuses.
#include <google/protobuf/text_format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/files.h"
#include "tests/worker/train/rank_program.h"

namespace ddl {
namespace {

constexpr int64_t kStepTokens = 128;
constexpr int64_t kCheckpointStep = 4;

// Twice as many steps as to the first of two checkpoints, of a model with this `model` text.
v1::RankLaunch ModelLaunch(const RankRun& run, const std::string& model, uint64_t epoch) {
  v1::RankLaunch launch = run.Launch(epoch);
  v1::ExperimentSpec& spec = *launch.mutable_spec();
  spec.mutable_model()->clear_residual();
  google::protobuf::TextFormat::Parser parser;
  REQUIRE(parser.MergeFromString(model, spec.mutable_model()));
  spec.mutable_train()->set_tokens(2 * kCheckpointStep * kStepTokens);
  spec.mutable_checkpoint()->set_every_tokens(kCheckpointStep * kStepTokens);
  spec.mutable_eval()->set_every_tokens(kCheckpointStep * kStepTokens);
  return launch;
}

TEST_CASE("A run of every residual goes on from a checkpoint to the same bits") {
  for (const std::string model :
       {R"(residual { kind: "additive" })", R"(residual { kind: "ddl" })",
        R"(residual { kind: "ddl" value_channels: 3 compress_kernel: 2 beta_hidden: 4 })",
        R"(residual { kind: "ddl" value_channels: 2 compress: "token" v_input: "c" })",
        R"(residual { kind: "write_only" v_activation: "linear" })",
        R"(residual { kind: "write_only" value_channels: 4 embed_conv: false })",
        R"(residual { kind: "write_only" value_channels: 2 compress: "token" })",
        R"(arch: "seed" residual { kind: "ddl" value_channels: 2 })",
        R"(residual { kind: "seed_deepdeltares" })",
        R"(arch: "seed" residual { kind: "seed_deepdeltares" })",
        R"(arch: "seed" residual { kind: "seed_write_only" })",
        R"(residual { kind: "hyper_connections" streams: 3 })",
        R"(arch: "seed" residual { kind: "hyper_connections" dynamic: false })"}) {
    INFO(model);
    const RankRun run;
    RankProcess whole(ModelLaunch(run, model, 1));
    REQUIRE(whole.Wait() == 0);
    const auto prepared = Prepared(whole.Events());
    REQUIRE(prepared.size() == 2);
    REQUIRE(prepared.front().step() == kCheckpointStep);

    v1::RankLaunch launch = ModelLaunch(run, model, 2);
    AddCheckpoints({prepared.front()}, 1, &launch);
    RankProcess resumed(launch);
    REQUIRE(resumed.Wait() == 0);
    CHECK(absl::StrContains(resumed.Log(), "at step 4"));
    CHECK(ParametersSha256(resumed.Log()) == ParametersSha256(whole.Log()));
    const auto points = ExactPoints(resumed.Events(), 0);
    CHECK_FALSE(points.empty());
    CHECK(points == ExactPoints(whole.Events(), kCheckpointStep));
  }
}

struct Refused {
  const char* model;
  const char* rule;
};

TEST_CASE("A model that cannot be is refused with its rule and exit code 2 before training") {
  for (const Refused& refused :
       {Refused{"vocab_size: 256", "model.vocab_size must be at least 257, got 256"},
        Refused{"d_model: 18 n_heads: 4",
                "d_model must be divisible by n_heads unless head_dim is given"},
        Refused{"n_kv_heads: 3", "n_kv_heads"},
        Refused{R"(residual { kind: "ddl" value_channels: 0 })",
                "value_channels: must be at least 1, got 0"},
        Refused{R"(residual { kind: "ddl" value_channels: 2 compress_kernel: 3 })",
                "compress_kernel must be at most value_channels"},
        Refused{R"(residual { kind: "delta" })", R"("delta")"}}) {
    INFO(refused.model);
    const RankRun run;
    RankProcess rank(ModelLaunch(run, refused.model, 1));
    CHECK(rank.Wait() == 2);
    INFO(rank.Log());
    CHECK(absl::StrContains(rank.Log(), refused.rule));
    CHECK(LastStep(rank.Events()) == 0);
    CHECK(Prepared(rank.Events()).empty());
    CHECK_FALSE(FileExists(run.CheckpointRoot()));
  }
}

}  // namespace
}  // namespace ddl
