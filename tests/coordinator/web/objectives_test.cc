// Best values of a sweep's metric, from points in a store.
#include "coordinator/web/objectives.h"

#include <catch2/catch.hpp>

#include "coordinator/store/sqlite_store.h"
#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {
namespace {

struct World {
  World() { REQUIRE(opened.ok()); }
  void Record(int64_t step, const std::string& series, double value) {
    v1::StepRecord record;
    record.set_step(step);
    v1::Sample& sample = *record.add_samples();
    sample.set_name(series);
    sample.set_value(value);
    Transaction transaction;
    transaction.metrics.push_back({"run1", 1, 1, {record}});
    REQUIRE(opened->get()->Commit(transaction).ok());
  }
  std::optional<double> Best(const Objective& objective, bool has_ended = false) {
    return *objectives.Of("run1", {}, objective, opened->get()->Progress({"run1"})->at("run1"),
                          has_ended);
  }

  ScratchFolder folder;
  absl::StatusOr<std::unique_ptr<SqliteStore>> opened =
      SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  Objectives objectives{opened.ok() ? opened->get() : nullptr};
};

const Objective kAccuracy = {"val_accuracy", /*maximize=*/true};
const Objective kNorm = {"gradient_norm", /*maximize=*/false};

TEST_CASE("a run's best value is the highest or the lowest of its series, as the metric says") {
  World world;
  world.Record(1, "val_loss", 5.0);
  CHECK(world.Best({"val_loss", false}) == 5.0);
  CHECK(world.Best({"val_loss", true}) == 5.0);
  CHECK(world.Best(kAccuracy) == std::nullopt);
  world.Record(2, "val_accuracy", 0.25);
  world.Record(3, "val_accuracy", 0.5);
  world.Record(4, "val_accuracy", 0.375);
  CHECK(world.Best(kAccuracy) == 0.5);
  world.objectives.Retain({});
  CHECK(world.Best({"val_accuracy", false}) == 0.25);
}

TEST_CASE("a live run's series is read again after a twentieth more steps, and at its end") {
  World world;
  world.Record(100, "gradient_norm", 2.0);
  CHECK(world.Best(kNorm) == 2.0);
  world.Record(104, "gradient_norm", 1.0);
  CHECK(world.Best(kNorm) == 2.0);
  world.Record(105, "loss_of_another", 1.0);
  CHECK(world.Best(kNorm) == 1.0);
  world.Record(106, "gradient_norm", 0.5);
  CHECK(world.Best(kNorm) == 1.0);
  CHECK(world.Best(kNorm, /*has_ended=*/true) == 0.5);
  world.objectives.Retain({});
  world.Record(107, "gradient_norm", 0.25);
  CHECK(world.Best(kNorm) == 0.25);
}

}  // namespace
}  // namespace ddl::coordinator
