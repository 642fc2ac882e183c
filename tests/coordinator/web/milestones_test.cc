// Losses at fixed token counts, from points in a store.
#include "coordinator/web/milestones.h"

#include <catch2/catch.hpp>

#include "coordinator/store/sqlite_store.h"
#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {
namespace {

void Validate(Store* store, int64_t step, int64_t tokens, double loss) {
  v1::StepRecord record;
  record.set_step(step);
  record.set_tokens(tokens);
  v1::Sample& sample = *record.add_samples();
  sample.set_name("val_loss");
  sample.set_value(loss);
  Transaction transaction;
  transaction.metrics.push_back({"run1", 1, 1, {record}});
  REQUIRE(store->Commit(transaction).ok());
}

TEST_CASE("a milestone's loss is that of the last validation at or before it, once it is reached") {
  const ScratchFolder folder;
  const auto store = SqliteStore::Open({.folder = folder.path(), .bootstrap = true});
  REQUIRE(store.ok());
  Milestones milestones(store->get());
  const auto of_run = [&] {
    return *milestones.Of("run1", {}, store->get()->Progress({"run1"})->at("run1"));
  };
  Validate(store->get(), 1, 60'000, 5.0);
  CHECK(of_run().empty());
  Validate(store->get(), 2, 100'000, 4.5);
  CHECK(of_run() == std::map<int64_t, double>{{100'000, 4.5}});
  Validate(store->get(), 3, 700'000, 4.0);
  CHECK(of_run() == std::map<int64_t, double>{{100'000, 4.5}});
  Validate(store->get(), 4, 1'300'000, 3.5);
  const std::map<int64_t, double> both = {{100'000, 4.5}, {1'000'000, 4.0}};
  CHECK(of_run() == both);
  milestones.Retain({});
  CHECK(of_run() == both);
}

}  // namespace
}  // namespace ddl::coordinator
