#include "tests/coordinator/store/store_conformance.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace ddl::coordinator {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void Commit(Store* store, const Transaction& transaction) {
  const absl::Status status = store->Commit(transaction);
  INFO(status.ToString());
  REQUIRE(status.ok());
}

Transaction Points(MetricRecords metrics) {
  Transaction transaction;
  transaction.metrics.push_back(std::move(metrics));
  return transaction;
}

uint64_t Bits(double value) { return std::bit_cast<uint64_t>(value); }

RunProgress ProgressOfRun(Store* store, const std::string& run) {
  const auto progress = store->Progress({run, "nobody"});
  REQUIRE(progress.ok());
  REQUIRE(progress->size() == 1);
  return progress->at(run);
}

}  // namespace

v1::StepRecord Record(int64_t step, const std::vector<std::pair<std::string, double>>& samples) {
  v1::StepRecord record;
  record.set_step(step);
  record.set_tokens(step * 1000);
  record.set_flops(static_cast<double>(step) * 1.25e9);
  record.set_active_seconds(static_cast<double>(step) * 0.1);
  for (const auto& [name, value] : samples) {
    v1::Sample& sample = *record.add_samples();
    sample.set_name(name);
    sample.set_value(value);
  }
  return record;
}

MetricRecords MetricsOf(const std::string& run, uint64_t epoch,
                        std::vector<v1::StepRecord> records) {
  return {run, epoch, static_cast<uint32_t>(epoch), std::move(records)};
}

std::vector<v1::Point> PointsOf(Store* store, const std::string& run, const std::string& series,
                                const Lineage& lineage) {
  std::vector<v1::Point> points;
  const absl::Status read = store->ReadSeries(run, series, lineage, [&](const auto& chunk) {
    CHECK(chunk.run() == run);
    CHECK(chunk.name() == series);
    CHECK(chunk.points_size() >= 1);
    CHECK(chunk.points_size() <= 1000);
    points.insert(points.end(), chunk.points().begin(), chunk.points().end());
    return true;
  });
  INFO(read.ToString());
  REQUIRE(read.ok());
  return points;
}

void CheckJournalAndSnapshot(const OpenStore& open) {
  const std::string binary("\0one\xff", 5);
  {
    const auto store = open();
    CHECK(store->JournalSeq() == 0);
    Commit(store.get(), {.events = {binary, "two"}});
    Commit(store.get(), {});  // Nothing to write is no error.
    Commit(store.get(), {.events = {"three"}});
    CHECK(store->JournalSeq() == 3);
  }
  {
    const auto store = open();
    CHECK(store->JournalSeq() == 3);
    const auto recovery = store->Recover();
    REQUIRE(recovery.ok());
    CHECK(recovery->snapshot_seq == 0);
    CHECK(recovery->events == std::vector<std::string>{binary, "two", "three"});
    REQUIRE(store->WriteSnapshot(2, "state after two").ok());
    Commit(store.get(), {.events = {"four"}});
  }
  const auto store = open();
  const auto recovery = store->Recover();
  REQUIRE(recovery.ok());
  CHECK(recovery->snapshot_seq == 2);
  CHECK(recovery->snapshot == "state after two");
  CHECK(recovery->events == std::vector<std::string>{"three", "four"});
  REQUIRE(store->WriteSnapshot(4, "state after four").ok());
  const auto newest = store->Recover();
  REQUIRE(newest.ok());
  CHECK(newest->snapshot_seq == 4);
  CHECK(newest->events.empty());
}

void CheckRepliesAndCursors(const OpenStore& open) {
  const absl::Time time = absl::FromUnixMicros(1'700'000'000'123'456);
  {
    const auto store = open();
    Commit(store.get(), {.cursors = {{"run1", 1, 0, 7}, {"run1", 2, 3, 9}},
                         .replies = {{"ann", "r1", "Submit", "aa", std::string("\0x", 2), time}}});
    Commit(store.get(), {.cursors = {{"run1", 1, 0, 8}}});
  }
  const auto store = open();
  const auto reply = store->FindReply("ann", "r1");
  REQUIRE(reply.ok());
  REQUIRE(reply->has_value());
  CHECK((*reply)->method == "Submit");
  CHECK((*reply)->request_sha256 == "aa");
  CHECK((*reply)->response == std::string("\0x", 2));
  CHECK((*reply)->time == time);
  CHECK_FALSE(store->FindReply("bob", "r1")->has_value());
  CHECK_FALSE(store->FindReply("ann", "r2")->has_value());
  CHECK(*store->DurableSeq("run1", 1, 0) == 8);
  CHECK(*store->DurableSeq("run1", 2, 3) == 9);
  CHECK(*store->DurableSeq("run1", 2, 0) == 0);
}

void CheckPointsExactlyOnce(const OpenStore& open) {
  const auto metrics = MetricsOf("run1", 1, {Record(1, {{"train_loss", 4.5}, {"odd", kNan}})});
  {
    const auto store = open();
    Commit(store.get(), Points(metrics));
    Commit(store.get(), Points(metrics));
    Commit(store.get(), Points(MetricsOf("run1", 1, {Record(1, {{"train_loss", 9.9}})})));
  }
  const auto store = open();
  Commit(store.get(), Points(metrics));
  const std::vector<v1::Point> loss = PointsOf(store.get(), "run1", "train_loss");
  REQUIRE(loss.size() == 1);
  CHECK(loss[0].value() == 4.5);
  CHECK(loss[0].step() == 1);
  CHECK(loss[0].tokens() == 1000);
  CHECK(loss[0].flops() == 1.25e9);
  CHECK(loss[0].active_seconds() == 0.1);
  CHECK(loss[0].attempt() == 1);
  const std::vector<v1::Point> odd = PointsOf(store.get(), "run1", "odd");
  REQUIRE(odd.size() == 1);
  CHECK(Bits(odd[0].value()) == Bits(kNan));
  CHECK(*store->SeriesNames("run1") == std::vector<std::string>{"odd", "train_loss"});
  CHECK(store->SeriesNames("run2")->empty());
  CHECK(PointsOf(store.get(), "run2", "train_loss").empty());
}

void CheckLineage(const OpenStore& open) {
  const auto store = open();
  // Attempt 1 went to step 4, attempt 2 resumed at 2 and went to 5, attempt 3 resumed at 3.
  for (const auto& [epoch, from, to] :
       {std::tuple(1, 1, 4), std::tuple(2, 2, 5), std::tuple(3, 4, 6)}) {
    for (int step = from; step <= to; ++step) {
      Commit(store.get(), Points(MetricsOf("run1", static_cast<uint64_t>(epoch),
                                           {Record(step, {{"val_loss", epoch * 10.0 + step}})})));
    }
  }
  std::vector<std::pair<int64_t, double>> seen;
  for (const auto& point : PointsOf(store.get(), "run1", "val_loss", {{{1, 2}, {2, 3}}})) {
    seen.emplace_back(point.step(), point.value());
  }
  // Step 2 is in attempts 1 and 2: the later one counts.
  const std::vector<std::pair<int64_t, double>> expected = {{1, 11}, {2, 22}, {3, 23},
                                                            {4, 34}, {5, 35}, {6, 36}};
  CHECK(seen == expected);
  CHECK(PointsOf(store.get(), "run1", "val_loss").size() == 4 + 4 + 3);
}

void CheckLongSeries(const OpenStore& open) {
  const auto store = open();
  for (int64_t first = 1; first <= 3500; first += 500) {
    std::vector<v1::StepRecord> records;
    for (int64_t step = first; step < first + 500; ++step) {
      records.push_back(Record(step, {{"train_loss", 1.0 / static_cast<double>(step)}}));
    }
    Commit(store.get(), Points(MetricsOf("run1", 1, records)));
  }
  const std::vector<v1::Point> points = PointsOf(store.get(), "run1", "train_loss", {{{9, 1}}});
  REQUIRE(points.size() == 3500);
  for (size_t i = 0; i < points.size(); ++i) {
    REQUIRE(points[i].step() == static_cast<int64_t>(i) + 1);
    REQUIRE(points[i].value() == 1.0 / static_cast<double>(i + 1));
  }
  int chunks = 0;
  const absl::Status stopped = store->ReadSeries("run1", "train_loss", {}, [&](const auto&) {
    ++chunks;
    return false;
  });
  CHECK(stopped.ok());
  CHECK(chunks == 1);
}

void CheckProgress(const OpenStore& open) {
  {
    const auto store = open();
    Commit(store.get(), Points(MetricsOf("run1", 1, {Record(1, {{"gradient_norm", 1.0}})})));
    CHECK(std::isnan(ProgressOfRun(store.get(), "run1").train_loss));
    CHECK(std::isnan(ProgressOfRun(store.get(), "run1").best_val_loss));
    Commit(store.get(),
           Points(MetricsOf("run1", 1,
                            {Record(2, {{"train_loss", 3.5}}), Record(2, {{"val_loss", 3.0}}),
                             Record(3, {{"train_loss", 3.25}}), Record(3, {{"val_loss", 3.1}})})));
  }
  const auto store = open();
  RunProgress progress = ProgressOfRun(store.get(), "run1");
  CHECK(progress.step == 3);
  CHECK(progress.tokens == 3000);
  CHECK(progress.flops == 3 * 1.25e9);
  CHECK(progress.train_loss == 3.25);
  CHECK(progress.val_loss == 3.1);
  CHECK(progress.best_val_loss == 3.0);
  // A repeat of an older record changes nothing; a later attempt begins where it resumed.
  Commit(store.get(), Points(MetricsOf("run1", 1, {Record(2, {{"train_loss", 3.5}})})));
  CHECK(ProgressOfRun(store.get(), "run1").step == 3);
  Commit(store.get(), Points(MetricsOf("run1", 2, {Record(2, {{"train_loss", 3.5}})})));
  progress = ProgressOfRun(store.get(), "run1");
  CHECK(progress.step == 2);
  CHECK(progress.train_loss == 3.5);
  CHECK(progress.best_val_loss == 3.0);
}

void CheckRandomPoints(const OpenStore& open, unsigned seed) {
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::map<std::tuple<std::string, std::string, int64_t, uint64_t>, uint64_t> model;
  auto store = open();
  for (int batch = 0; batch < 60; ++batch) {
    const std::string run = absl::StrCat("run", random() % 3);
    const uint64_t epoch = 1 + random() % 3;
    std::vector<v1::StepRecord> records;
    for (int i = 0; i < 10; ++i) {
      const auto step = static_cast<int64_t>(1 + random() % 40);
      const std::string name = absl::StrCat("series", random() % 4);
      const double value = static_cast<double>(random()) / 7.0;
      records.push_back(Record(step, {{name, value}}));
      model.emplace(std::tuple(run, name, step, epoch), Bits(value));  // The first one stays.
    }
    Commit(store.get(), Points(MetricsOf(run, epoch, records)));
    if (random() % 10 == 0) {
      store.reset();
      store = open();
    }
  }
  decltype(model) stored;
  for (const char* run : {"run0", "run1", "run2"}) {
    const std::vector<std::string> names = *store->SeriesNames(run);
    for (const std::string& name : names) {
      for (const v1::Point& point : PointsOf(store.get(), run, name)) {
        const auto key = std::tuple(std::string(run), name, point.step(), point.attempt());
        CHECK(stored.emplace(key, Bits(point.value())).second);
      }
    }
  }
  CHECK(stored == model);
}

}  // namespace ddl::coordinator
