#include "worker/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <map>
#include <vector>

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"
#include "tests/worker/torch_test.h"
#include "worker/data/synthetic_source.h"
#include "worker/data/text_source.h"

namespace ddl {
namespace {

TEST_CASE("Validation is the mean over the first tokens of the split, last short window included") {
  const ScratchFolder folder;
  WriteText(folder.path());
  const std::vector<uint16_t> text = MarkovText(2, 1500);
  const Transformer model({.d_model = 16,
                           .n_layers = 1,
                           .n_heads = 2,
                           .head_dim = 8,
                           .d_ff = 32,
                           .vocab_size = kByteVocabSize},
                          /*seed=*/3, at::kCPU);
  const auto alone = Join({});
  REQUIRE(alone.ok());
  for (const int64_t tokens : {int64_t{16}, int64_t{100}, int64_t{1} << 40}) {
    auto opened = OpenTrainingText(
        {.folder = folder.path(), .vocab_size = kByteVocabSize, .sequence_tokens = 16});
    REQUIRE(opened.ok());
    const TextSource data(*std::move(opened),
                          {.sequence_tokens = 16, .val_tokens = tokens, .val_batch_sequences = 3});
    const auto got = Validate(model, data, alone->get());
    REQUIRE(got.ok());
    // Window by window, softmax in float64.
    const int64_t count = std::min<int64_t>(tokens, 1499);
    double loss = 0;
    int64_t right = 0;
    const at::NoGradGuard no_grad;
    for (int64_t start = 0; start < count; start += 16) {
      const int64_t length = std::min<int64_t>(16, count - start);
      const std::vector<int64_t> row(text.begin() + start, text.begin() + start + length + 1);
      const at::Tensor all = at::tensor(row, at::kLong);
      const at::Tensor logits =
          model.Logits(all.narrow(0, 0, length).unsqueeze(0)).to(at::kDouble)[0];
      for (int64_t t = 0; t < length; ++t) {
        const int64_t target = row[static_cast<size_t>(t + 1)];
        loss += (logits[t].exp().sum().log() - logits[t][target]).item<double>();
        right += logits[t].argmax().item<int64_t>() == target ? 1 : 0;
      }
    }
    CHECK(got->answers == count);
    CHECK(got->loss == Approx(loss / static_cast<double>(count)).epsilon(1e-6));
    CHECK(got->accuracy == Approx(static_cast<double>(right) / static_cast<double>(count)));
    CHECK(got->by_position.empty());
  }
}

TEST_CASE("Validation of known answers counts those alone, and each position by itself") {
  const SyntheticSource data(
      {.task = {.kind = SyntheticKind::kRecall, .tokens = 12, .pairs = 3, .symbols = 4},
       .val_sequences = 7,
       .val_batch_sequences = 3});
  const Transformer model(
      {.d_model = 16, .n_layers = 1, .n_heads = 2, .head_dim = 8, .d_ff = 32, .vocab_size = 8},
      /*seed=*/3, at::kCPU);
  const auto alone = Join({});
  const auto got = Validate(model, data, alone->get());
  REQUIRE(got.ok());
  CHECK(got->answers == 7 * 6);
  // Sequence by sequence, softmax in float64.
  double loss = 0;
  std::map<int64_t, double> right;
  const at::NoGradGuard no_grad;
  for (int64_t i = 0; i < data.ValBatches(); ++i) {
    const Batch batch = data.ValBatch(i);
    const at::Tensor logits = model.Logits(batch.indices).to(at::kDouble);
    for (int64_t row = 0; row < batch.indices.size(0); ++row) {
      for (int64_t t = 6; t < 12; ++t) {
        const int64_t target = batch.targets[row][t].item<int64_t>();
        loss += (logits[row][t].exp().sum().log() - logits[row][t][target]).item<double>();
        right[t] += logits[row][t].argmax().item<int64_t>() == target ? 1 : 0;
      }
    }
  }
  CHECK(got->loss == Approx(loss / 42).epsilon(1e-6));
  REQUIRE(got->by_position.size() == 6);
  double all = 0;
  for (const PositionAccuracy& position : got->by_position) {
    CHECK(position.accuracy == Approx(right.at(position.position) / 7));
    all += right.at(position.position);
  }
  CHECK(got->accuracy == Approx(all / 42));
}

}  // namespace
}  // namespace ddl
