#include "common/series.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace ddl::series {
namespace {

TEST_CASE("A key is the name and its labels in the order layer, sublayer, bucket, phase") {
  CHECK(Key(kTrainLoss) == "train_loss");
  CHECK(Key(kPhaseSeconds, {.phase = "forward"}) == "phase_seconds/forward");
  CHECK(Key(kGateBetaMean, {.layer = "3", .sublayer = "attn"}) == "gate_beta_mean/3/attn");
  CHECK(Key(kGateBetaBucket, {.sublayer = "mlp", .bucket = "1.05"}) == "gate_beta_bucket/mlp/1.05");
  CHECK(Key("x", {"1", "2", "3", "4"}) == "x/1/2/3/4");
}

TEST_CASE("The buckets of beta rise from above 0 to 2") {
  CHECK(std::is_sorted(kBetaBuckets.begin(), kBetaBuckets.end()));
  CHECK(kBetaBuckets.front() > 0);
  CHECK(kBetaBuckets.back() == 2);
}

}  // namespace
}  // namespace ddl::series
