#include "worker/model/gate_statistics.h"

#include <cmath>
#include <vector>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("Gate statistics are the sums that plain loops give") {
  constexpr uint64_t kSeed = 11;
  INFO("seed " << kSeed);
  at::manual_seed(kSeed);
  GateStatistics statistics(/*layers=*/2, at::kCPU);
  at::Tensor beta = at::empty({3, 40, 1}).uniform_(0, 2);
  beta.view(-1).narrow(0, 0, 5).copy_(at::tensor({0.0, 0.05, 2.0, 1.95, 0.95}, at::kFloat));
  const at::Tensor discrepancy = at::randn({3, 40, 4});
  statistics.Observe(1, Sublayer::kMlp, beta.narrow(0, 0, 1), discrepancy.narrow(0, 0, 1));
  statistics.Observe(1, Sublayer::kMlp, beta.narrow(0, 1, 2), discrepancy.narrow(0, 1, 2));

  std::vector<double> want(GateStatistics::kColumns);
  const at::Tensor flat = beta.reshape(-1).contiguous();
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const double value = flat.data_ptr<float>()[i];
    want[GateStatistics::kCount] += 1;
    want[GateStatistics::kBetaSum] += value;
    want[GateStatistics::kLow] += value < 0.05 ? 1 : 0;
    want[GateStatistics::kHigh] += value > 1.95 ? 1 : 0;
    size_t bucket = 0;
    while (bucket < series::kBetaBuckets.size() && value > series::kBetaBuckets[bucket]) ++bucket;
    want[GateStatistics::kFirstBucket + bucket] += 1;
  }
  for (int64_t i = 0; i < discrepancy.numel(); ++i) {
    want[GateStatistics::kSquares] += std::pow(discrepancy.data_ptr<float>()[i], 2);
    want[GateStatistics::kSquareCount] += 1;
  }
  const at::Tensor got = statistics.Sums()[1][1];
  for (int64_t column = 0; column < GateStatistics::kColumns; ++column) {
    INFO("column " << column);
    CHECK(got[column].item<double>() == Approx(want[static_cast<size_t>(column)]).epsilon(1e-5));
  }
  CHECK(statistics.Sums()[0].abs().sum().item<double>() == 0);
  CHECK(statistics.Sums()[1][0].abs().sum().item<double>() == 0);
}

}  // namespace
}  // namespace ddl
