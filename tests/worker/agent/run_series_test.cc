#include "worker/agent/run_series.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "tests/worker/agent/model_host.h"

namespace ddl::agent {
namespace {

constexpr char kMeasured[] = "k3v9x2mq";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

struct World {
  void Started(uint64_t epoch, int64_t resumed_step) {
    v1::RankEvent& event = Append(epoch);
    event.mutable_started()->set_resumed_step(resumed_step);
  }
  void Step(uint64_t epoch, int64_t step, double forward_seconds) {
    v1::StepRecord* record = Append(epoch).mutable_step();
    record->set_step(step);
    record->set_tokens(step * 100);
    v1::Sample* sample = record->add_samples();
    sample->set_name("phase_seconds");
    sample->set_phase("forward");
    sample->set_value(forward_seconds);
  }
  void Betas(uint64_t epoch, int64_t step,
             const std::vector<std::pair<std::string, double>>& counts) {
    v1::StepRecord* record = Append(epoch).mutable_step();
    record->set_step(step);
    for (const auto& [bucket, count] : counts) {
      v1::Sample* sample = record->add_samples();
      sample->set_name("gate_beta_bucket");
      sample->set_sublayer("attn");
      sample->set_bucket(bucket);
      sample->set_value(count);
    }
  }
  v1::RankEvent& Append(uint64_t epoch) {
    v1::RankEvent& event = host.Append({{kMeasured, epoch}, 0});
    *event.mutable_time() =
        google::protobuf::util::TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(kNow));
    return event;
  }
  static HeldAttempts Held(uint64_t epoch, v1::RankState state) {
    HeldAttempts held;
    held[{kMeasured, epoch}].ranks[0].process.pid = 1;
    held[{kMeasured, epoch}].ranks[0].state = state;
    return held;
  }
  RunSeries NewSeries() {
    return RunSeries(&host, [this](const std::string&) {
      std::vector<uint64_t> epochs;
      for (const auto& [rank, events] : host.spools) epochs.push_back(rank.attempt.epoch);
      return epochs;
    });
  }
  // Value of a counter or gauge with one more label than `run`, or none; -1 without a series.
  static double Value(const RunSeries& series, const std::string& name,
                      const std::string& label = "") {
    MetricFamilies families;
    series.Collect(&families);
    for (const prometheus::MetricFamily& family : families.Families()) {
      if (family.name != name) continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (!label.empty() && metric.label.back().value != label) continue;
        return family.type == prometheus::MetricType::Counter ? metric.counter.value
                                                              : metric.gauge.value;
      }
    }
    return -1;
  }

  ModelHost host;
};

constexpr char kPhases[] = "ddl_train_phase_seconds_total";

}  // namespace

TEST_CASE("A resumed run's counters never fall and end at the sums of its lineage") {
  World world;
  RunSeries series = world.NewSeries();
  world.Started(1, 0);
  for (int64_t step = 1; step <= 7; ++step) world.Step(1, step, 1);
  series.Follow(World::Held(1, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, kPhases, "forward") == 7);
  CHECK(World::Value(series, kPhases, "eval") == 0);

  // The next attempt begins behind the checkpoint of step 4; steps 5 to 7 of the first are void.
  world.Started(2, 4);
  world.Step(2, 5, 0.5);
  series.Follow(World::Held(2, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, "ddl_train_steps_total") == 7);
  CHECK(World::Value(series, kPhases, "forward") == 7);
  for (int64_t step = 6; step <= 15; ++step) world.Step(2, step, 0.5);
  series.Follow(World::Held(2, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, "ddl_train_steps_total") == 15);
  CHECK(World::Value(series, "ddl_train_tokens_total") == 1500);
  CHECK(World::Value(series, kPhases, "forward") == 4 + 11 * 0.5);

  RunSeries of_new_daemon = world.NewSeries();
  of_new_daemon.Follow(World::Held(2, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(of_new_daemon, kPhases, "forward") == 4 + 11 * 0.5);
}

TEST_CASE("A third attempt that resumes before the second's start counts the first up to there") {
  World world;
  world.Started(1, 0);
  for (int64_t step = 1; step <= 10; ++step) world.Step(1, step, 1);
  world.Started(2, 8);
  for (int64_t step = 9; step <= 12; ++step) world.Step(2, step, 10);
  world.Started(3, 5);
  world.Step(3, 6, 100);
  RunSeries series = world.NewSeries();
  series.Follow(World::Held(3, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, kPhases, "forward") == 5 + 100);
}

TEST_CASE("A run's series go 90 seconds after its attempt has ended") {
  World world;
  RunSeries series = world.NewSeries();
  world.Started(1, 0);
  world.Step(1, 1, 1);
  series.Follow(World::Held(1, v1::RANK_STATE_EXITED), kNow);
  series.Follow({}, kNow + absl::Seconds(90));
  CHECK(World::Value(series, kPhases, "forward") == 1);
  series.Follow({}, kNow + absl::Seconds(91));
  CHECK(World::Value(series, kPhases, "forward") == -1);

  RunSeries late = world.NewSeries();
  late.Follow(World::Held(1, v1::RANK_STATE_EXITED), kNow + absl::Hours(1));
  CHECK(World::Value(late, kPhases, "forward") == -1);
}

TEST_CASE("What ranks exchanged adds up, and their straggler ratio is the last step's") {
  World world;
  world.Started(1, 0);
  for (int64_t step = 1; step <= 3; ++step) {
    v1::StepRecord* record = world.Append(1).mutable_step();
    record->set_step(step);
    for (const auto& [name, value] :
         {std::pair("comm_bytes", 1000.0), std::pair("comm_seconds", 0.002),
          std::pair("straggler_ratio", 1.0 + static_cast<double>(step)),
          std::pair("mfu_ratio", 0.25 / static_cast<double>(step))}) {
      v1::Sample* sample = record->add_samples();
      sample->set_name(name);
      sample->set_value(value);
    }
  }
  RunSeries series = world.NewSeries();
  series.Follow(World::Held(1, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, "ddl_comm_bytes_total", "allreduce") == 3000);
  CHECK(World::Value(series, "ddl_train_straggler_ratio") == 4);
  CHECK(World::Value(series, "ddl_train_mfu_ratio") == 0.25 / 3);
  MetricFamilies families;
  series.Collect(&families);
  int histograms = 0;
  for (const prometheus::MetricFamily& family : families.Families()) {
    if (family.name != "ddl_comm_duration_seconds") continue;
    ++histograms;
    CHECK(family.metric[0].histogram.sample_count == 3);
    CHECK(family.metric[0].histogram.sample_sum == Approx(0.006));
  }
  CHECK(histograms == 1);
}

TEST_CASE("Gate counts become a histogram over steps and shares of the last step") {
  World world;
  world.Started(1, 0);
  world.Betas(1, 1,
              {{"0.05", 0},
               {"0.25", 0},
               {"0.5", 10},
               {"0.75", 10},
               {"0.95", 10},
               {"1.05", 10},
               {"1.25", 10},
               {"1.5", 10},
               {"1.75", 10},
               {"1.95", 10},
               {"2", 10},
               {"+Inf", 10}});
  world.Betas(1, 2,
              {{"0.05", 1},
               {"0.25", 1},
               {"0.5", 2},
               {"0.75", 2},
               {"0.95", 2},
               {"1.05", 5},
               {"1.25", 5},
               {"1.5", 5},
               {"1.75", 10},
               {"1.95", 10},
               {"2", 10},
               {"+Inf", 10}});
  RunSeries series = world.NewSeries();
  series.Follow(World::Held(1, v1::RANK_STATE_RUNNING), kNow);
  CHECK(World::Value(series, "ddl_gate_regime_ratio", "identity") == Approx(0.2));
  CHECK(World::Value(series, "ddl_gate_regime_ratio", "projection") == Approx(0.3));
  CHECK(World::Value(series, "ddl_gate_regime_ratio", "reflection") == Approx(0.5));
  MetricFamilies families;
  series.Collect(&families);
  for (const prometheus::MetricFamily& family : families.Families()) {
    if (family.name != "ddl_gate_beta") continue;
    const prometheus::ClientMetric::Histogram& histogram = family.metric[0].histogram;
    CHECK(histogram.sample_count == 20);
    CHECK(histogram.bucket[2].cumulative_count == 12);
    CHECK(histogram.bucket[5].cumulative_count == 15);
  }
}

}  // namespace ddl::agent
