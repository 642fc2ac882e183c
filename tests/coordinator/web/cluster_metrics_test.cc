// Families of the whole installation, from states made by hand.
#include "coordinator/web/cluster_metrics.h"

#include <catch2/catch.hpp>

#include "tests/coordinator/web/samples.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("runs, slots and workers are counted by pool, with zeros before the first") {
  State state;
  MetricFamilies empty;
  AddSchedulerMetrics(state, &empty);
  const auto zeros = Samples(empty.Families());
  CHECK(zeros.at("ddl_scheduler_runs{default,queued}") == 0);
  CHECK(zeros.at("ddl_runs_finished_total{default,succeeded}") == 0);
  CHECK(zeros.at("ddl_workers{default,lost}") == 0);
  CHECK(zeros.at("ddl_scheduler_queue_wait_seconds{default}") == 0);

  for (const char* id : {"a", "b", "c"}) {
    state.runs[id].set_id(id);
    state.runs[id].mutable_spec()->mutable_resources()->set_pool("h100");
    state.runs[id].set_state(v1::RUN_STATE_RUNNING);
  }
  state.runs["c"].set_state(v1::RUN_STATE_FAILED);
  state.runs["a"].add_attempts()->mutable_placed()->set_seconds(10);
  v1::WorkerRecord& ready = state.workers["w1"];
  ready.set_pool("h100");
  ready.set_state(v1::WORKER_STATE_READY);
  ready.add_slots()->set_run("a");
  ready.add_slots();
  v1::WorkerRecord& lost = state.workers["w2"];
  lost.set_pool("h100");
  lost.set_state(v1::WORKER_STATE_LOST);
  lost.add_slots();
  MetricFamilies families;
  AddSchedulerMetrics(state, &families);
  const auto samples = Samples(families.Families());
  CHECK(samples.at("ddl_scheduler_runs{h100,running}") == 2);
  CHECK(samples.at("ddl_runs_finished_total{h100,failed}") == 1);
  CHECK(samples.at("ddl_scheduler_slots{h100,busy}") == 1);
  CHECK(samples.at("ddl_scheduler_slots{h100,free}") == 1);
  CHECK(samples.at("ddl_workers{h100,ready}") == 1);
  CHECK(samples.at("ddl_workers{h100,lost}") == 1);
  CHECK(samples.at("ddl_scheduler_queue_wait_seconds{h100}") == 1);
}

TEST_CASE("a sweep shows its trials by state, those to come, and the best value of its metric") {
  State state;
  v1::ExperimentRecord& sweep = state.experiments["s1"];
  sweep.set_id("s1");
  sweep.set_kind("sweep");
  sweep.set_trials(9);
  sweep.set_created(3);
  sweep.mutable_sweep()->mutable_metric()->set_name("val_loss");
  sweep.mutable_sweep()->mutable_metric()->set_goal("minimize");
  (*sweep.mutable_runs_by_state())[v1::RUN_STATE_RUNNING] = 3;
  std::map<std::string, double> objectives;
  for (const auto& [id, value] :
       {std::pair("a", 3.5), std::pair("b", 3.25), std::pair("c", 3.75)}) {
    state.runs[id].set_experiment_id("s1");
    objectives[id] = value;
  }
  objectives["gone"] = 1;
  MetricFamilies families;
  AddSweepMetrics(state, objectives, &families);
  auto samples = Samples(families.Families());
  CHECK(samples.at("ddl_sweep_trials{s1,running}") == 3);
  CHECK(samples.at("ddl_sweep_trials{s1,pending}") == 6);
  CHECK(samples.at("ddl_sweep_best_objective{s1}") == 3.25);

  sweep.mutable_sweep()->mutable_metric()->set_goal("maximize");
  MetricFamilies other;
  AddSweepMetrics(state, objectives, &other);
  CHECK(Samples(other.Families()).at("ddl_sweep_best_objective{s1}") == 3.75);

  MetricFamilies none;
  AddSweepMetrics(state, {}, &none);
  CHECK(Samples(none.Families()).count("ddl_sweep_best_objective{s1}") == 0);
}

}  // namespace
}  // namespace ddl::coordinator
