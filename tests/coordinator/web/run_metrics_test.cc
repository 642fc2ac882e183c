// Families of single runs, from states made by hand.
#include "coordinator/web/run_metrics.h"

#include <catch2/catch.hpp>
#include <limits>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/web/samples.h"

namespace ddl::coordinator {
namespace {

v1::RunRecord RunOf(const std::string& id, uint64_t order, v1::RunState state) {
  v1::RunRecord run;
  run.set_id(id);
  run.set_name("name");
  run.set_order(order);
  run.set_state(state);
  run.set_user("unverified:ada");
  run.set_residual("ddl/4");
  run.mutable_spec()->set_experiment("group");
  run.mutable_spec()->set_seed(3);
  run.mutable_spec()->mutable_model()->set_arch("paper");
  run.mutable_spec()->mutable_model()->set_d_model(64);
  run.mutable_spec()->mutable_model()->set_n_layers(2);
  run.mutable_spec()->mutable_data()->set_path("some/folder/english/");
  run.mutable_spec()->mutable_train()->set_tokens(1'000'000);
  run.mutable_spec()->mutable_parallel()->set_ranks(2);
  return run;
}

std::map<std::string, double> Export(const v1::RunRecord& run) {
  MetricFamilies families;
  AddRunMetrics({}, run, &families);
  return Samples(families.Families());
}

TEST_CASE("a run is visible while it lives and for seven days after its end, the newest 500") {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto ended = [&](const std::string& id, absl::Duration ago) {
    v1::RunRecord run = RunOf(id, 1, v1::RUN_STATE_FAILED);
    run.mutable_ended()->set_seconds(absl::ToUnixSeconds(now - ago));
    return run;
  };
  State state;
  state.runs["old"] = ended("old", absl::Hours(7 * 24 + 1));
  state.runs["recent"] = ended("recent", absl::Hours(7 * 24 - 1));
  state.runs["live"] = RunOf("live", 2, v1::RUN_STATE_RUNNING);
  const auto visible = VisibleRuns(state, now);
  REQUIRE(visible.size() == 2);
  CHECK(visible[0]->id() == "live");
  CHECK(visible[1]->id() == "recent");
  for (uint64_t i = 0; i < 600; ++i) {
    const std::string id = absl::StrCat("run", i);
    state.runs[id] = RunOf(id, 100 + i, v1::RUN_STATE_QUEUED);
  }
  REQUIRE(VisibleRuns(state, now).size() == 500);
  CHECK(VisibleRuns(state, now)[0]->id() == "run599");
  CHECK(VisibleRuns(state, now)[499]->id() == "run100");
}

TEST_CASE("what a run is stands on its info, names and paths appear nowhere else") {
  const auto samples = Export(RunOf("abcd1234", 1, v1::RUN_STATE_RUNNING));
  std::string info;
  for (const auto& [key, value] : samples) {
    if (key.rfind("ddl_run_info{", 0) == 0) info = key;
    if (key.rfind("ddl_run_info{", 0) != 0) CHECK(key.find("group") == std::string::npos);
  }
  CHECK(info.rfind("ddl_run_info{abcd1234,group,name,unverified:ada,ddl/4,paper-d64-l2,english,"
                   "adamw,3,",
                   0) == 0);
  CHECK(samples.at("ddl_run_state{abcd1234,running}") == 1);
  CHECK(samples.at("ddl_run_target_tokens{abcd1234}") == 1e6);
  CHECK(samples.at("ddl_run_ranks{abcd1234}") == 2);
  CHECK(samples.count("ddl_run_start_timestamp_seconds{abcd1234}") == 0);
  CHECK(samples.at("ddl_run_restarts_total{abcd1234,user}") == 0);
}

TEST_CASE("restarts are counted by what ended the attempt before") {
  v1::RunRecord run = RunOf("abcd1234", 1, v1::RUN_STATE_RUNNING);
  for (const v1::ExitClass exit_class :
       {v1::EXIT_CLASS_USER, v1::EXIT_CLASS_OUT_OF_MEMORY, v1::EXIT_CLASS_INFRASTRUCTURE,
        v1::EXIT_CLASS_PREEMPTED, v1::EXIT_CLASS_UNSPECIFIED}) {
    run.add_attempts()->set_exit_class(exit_class);
  }
  run.mutable_attempts(4)->mutable_rank_zero()->set_parameters(777);
  const auto samples = Export(run);
  CHECK(samples.at("ddl_run_restarts_total{abcd1234,user}") == 2);
  CHECK(samples.at("ddl_run_restarts_total{abcd1234,infrastructure}") == 1);
  CHECK(samples.at("ddl_run_restarts_total{abcd1234,preempted}") == 1);
  CHECK(samples.at("ddl_run_parameters{abcd1234}") == 777);
}

TEST_CASE("the newest committed checkpoint is shown, not one that is gone") {
  v1::RunRecord run = RunOf("abcd1234", 1, v1::RUN_STATE_RUNNING);
  for (const auto& [step, state] :
       {std::pair(10, v1::CHECKPOINT_STATE_GONE), std::pair(20, v1::CHECKPOINT_STATE_COMMITTED),
        std::pair(30, v1::CHECKPOINT_STATE_CORRUPT)}) {
    v1::CheckpointRecord& checkpoint = *run.add_checkpoints();
    checkpoint.set_step(step);
    checkpoint.set_state(state);
    checkpoint.set_bytes(1000);
    checkpoint.mutable_committed()->set_seconds(1'700'000'000 + step);
  }
  const auto samples = Export(run);
  CHECK(samples.at("ddl_checkpoint_last_step{abcd1234}") == 20);
  CHECK(samples.at("ddl_checkpoint_last_success_timestamp_seconds{abcd1234}") == 1'700'000'020);
}

TEST_CASE("a best loss is shown once there is one") {
  MetricFamilies families;
  RunProgress progress;
  progress.best_val_loss = std::numeric_limits<double>::quiet_NaN();
  AddProgressMetrics("a", progress, &families);
  CHECK(families.Families().empty());
  progress.best_val_loss = 3.5;
  AddProgressMetrics("a", progress, &families);
  CHECK(Samples(families.Families()).at("ddl_run_best_val_loss{a}") == 3.5);
}

}  // namespace
}  // namespace ddl::coordinator
