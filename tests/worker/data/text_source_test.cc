#include "worker/data/text_source.h"

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TextSource Open(const std::string& folder, const TextPlan& plan) {
  auto text = OpenTrainingText({.folder = folder, .vocab_size = 300, .sequence_tokens = 16});
  REQUIRE(text.ok());
  return {*std::move(text), plan};
}

TEST_CASE("Targets are the next tokens, and every window is seen once in an epoch") {
  const ScratchFolder folder;
  WriteText(folder.path());
  const TextSource data = Open(folder.path(), {.seed = 7, .sequence_tokens = 16, .val_tokens = 64});
  CHECK(data.AnswersPerSample() == 16);
  const int64_t windows = (6000 - 1) / 16;
  const Batch batch = data.TrainSamples(0, 2 * windows);
  CHECK(at::equal(batch.indices.narrow(1, 1, 15), batch.targets.narrow(1, 0, 15)));
  CHECK(batch.read_bytes == 2 * 2 * windows * 17);
  // The sum over both epochs is twice the sum of the text.
  const std::vector<uint16_t> text = MarkovText(1, 6000);
  int64_t sum = 0;
  for (int64_t i = 0; i < 16 * windows; ++i) sum += text[static_cast<size_t>(i)];
  CHECK(batch.indices.sum().item<int64_t>() == 2 * sum);
}

TEST_CASE("Validation batches are the split from its start, the remainder last") {
  const ScratchFolder folder;
  WriteText(folder.path());
  const std::vector<uint16_t> text = MarkovText(2, 1500);
  for (const int64_t tokens : {int64_t{16}, int64_t{100}, int64_t{160}, int64_t{1} << 40}) {
    const TextSource data = Open(
        folder.path(), {.sequence_tokens = 16, .val_tokens = tokens, .val_batch_sequences = 3});
    std::vector<int64_t> seen;
    std::vector<int64_t> targets;
    for (int64_t i = 0; i < data.ValBatches(); ++i) {
      const Batch batch = data.ValBatch(i);
      const int64_t* const first = batch.indices.data_ptr<int64_t>();
      seen.insert(seen.end(), first, first + batch.indices.numel());
      const int64_t* const target = batch.targets.data_ptr<int64_t>();
      targets.insert(targets.end(), target, target + batch.targets.numel());
    }
    const int64_t count = std::min<int64_t>(tokens, 1499);
    CHECK(std::equal(seen.begin(), seen.end(), text.begin(), text.begin() + count));
    CHECK(std::equal(targets.begin(), targets.end(), text.begin() + 1, text.begin() + count + 1));
  }
}

}  // namespace
}  // namespace ddl
