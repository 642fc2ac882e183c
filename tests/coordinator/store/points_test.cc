// The run store's own rules: counts, limits, checksums.
#include "coordinator/store/points.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/open_store.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("a repeated point is counted as one, another value as a conflict") {
  const ScratchFolder folder;
  const auto store = OpenIn(folder);
  for (const double value : {1.0, 1.0, 2.0}) {
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(1, {{"loss", value}})}));
    REQUIRE(store->Commit(transaction).ok());
  }
  const PointCounts counts = store->point_counts();
  CHECK(counts.ingested == 1);
  CHECK(counts.repeated == 1);
  CHECK(counts.conflicting == 1);
}

TEST_CASE("a run has 1,000 series at most, and points beyond are counted") {
  const ScratchFolder folder;
  std::vector<std::pair<std::string, double>> samples;
  for (int i = 0; i < 1005; ++i) samples.emplace_back(absl::StrCat("series", i), i);
  for (int start = 0; start < 2; ++start) {
    const auto store = OpenIn(folder);
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(start, samples)}));
    REQUIRE(store->Commit(transaction).ok());
    CHECK(store->point_counts().ingested == 1000);
    CHECK(store->point_counts().over_cap == 5);
  }
}

TEST_CASE("a damaged point is an error, never another value") {
  const ScratchFolder folder;
  {
    const auto store = OpenIn(folder);
    Transaction transaction;
    transaction.metrics.push_back(MetricsOf("run1", 1, {Record(1, {{"loss", 2.0}})}));
    REQUIRE(store->Commit(transaction).ok());
  }
  Damage(folder, "UPDATE point SET value = value + 1");
  const absl::Status read =
      OpenIn(folder)->ReadSeries("run1", "loss", {}, [](const auto&) { return true; });
  CHECK(read.code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ddl::coordinator
