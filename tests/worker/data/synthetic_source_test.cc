#include "worker/data/synthetic_source.h"

#include <set>
#include <vector>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

SyntheticPlan Plan(uint64_t seed) {
  return {.task = {.kind = SyntheticKind::kOverwrite,
                   .tokens = 40,
                   .pairs = 4,
                   .symbols = 8,
                   .writes = 3},
          .seed = seed,
          .val_sequences = 23,
          .val_batch_sequences = 10};
}

std::set<std::vector<int64_t>> Rows(const at::Tensor& indices) {
  std::set<std::vector<int64_t>> rows;
  for (int64_t row = 0; row < indices.size(0); ++row) {
    const int64_t* const first = indices.data_ptr<int64_t>() + row * indices.size(1);
    rows.emplace(first, first + indices.size(1));
  }
  return rows;
}

TEST_CASE("A synthetic sample is a function of seed and number, whatever batch it comes in") {
  const SyntheticSource data(Plan(7));
  const Batch whole = data.TrainSamples(100, 12);
  for (int64_t i = 0; i < 12; i += 3) {
    const Batch part = data.TrainSamples(100 + i, 3);
    CHECK(at::equal(part.indices, whole.indices.narrow(0, i, 3)));
    CHECK(at::equal(part.targets, whole.targets.narrow(0, i, 3)));
  }
  CHECK(at::equal(SyntheticSource(Plan(7)).TrainSamples(100, 12).indices, whole.indices));
  CHECK_FALSE(at::equal(SyntheticSource(Plan(8)).TrainSamples(100, 12).indices, whole.indices));
}

TEST_CASE("Synthetic samples do not repeat, and none is a validation sequence of any seed") {
  const SyntheticSource data(Plan(7));
  const auto train = Rows(data.TrainSamples(0, 2000).indices);
  CHECK(train.size() == 2000);
  std::set<std::vector<int64_t>> val;
  for (int64_t batch = 0; batch < data.ValBatches(); ++batch) {
    const at::Tensor indices = data.ValBatch(batch).indices;
    CHECK(at::equal(indices, SyntheticSource(Plan(8)).ValBatch(batch).indices));
    for (const auto& row : Rows(indices)) val.insert(row);
  }
  CHECK(val.size() == 23);
  for (const auto& row : val) CHECK(!train.contains(row));
}

TEST_CASE("Synthetic validation has as many sequences as asked for, the last batch shorter") {
  const SyntheticSource data(Plan(7));
  REQUIRE(data.ValBatches() == 3);
  CHECK(data.ValBatch(1).indices.size(0) == 10);
  CHECK(data.ValBatch(2).indices.size(0) == 3);
}

TEST_CASE("A synthetic batch has an answer for every token that asks, and no other") {
  const SyntheticSource data(Plan(7));
  const Batch batch = data.TrainSamples(5, 9);
  CHECK(batch.indices.sizes() == at::IntArrayRef({9, 40}));
  CHECK(batch.read_bytes == 0);
  // 4 keys written 3 times are 24 tokens.
  CHECK(data.AnswersPerSample() == 16);
  CHECK(batch.targets.narrow(1, 0, 24).eq(kNoAnswer).all().item<bool>());
  CHECK(batch.targets.narrow(1, 24, 16).ge(8).all().item<bool>());
  CHECK(batch.targets.narrow(1, 24, 16).lt(16).all().item<bool>());
}

}  // namespace
}  // namespace ddl
