#include "worker/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"
#include "tests/worker/torch_test.h"
#include "worker/data/training_text.h"

namespace ddl {
namespace {

TEST_CASE("Validation is the mean over the first tokens of the split, last short window included") {
  const ScratchFolder folder;
  WriteText(folder.path());
  const auto text = OpenTrainingText(
      {.folder = folder.path(), .vocab_size = kByteVocabSize, .sequence_tokens = 16});
  REQUIRE(text.ok());
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
    const auto got =
        Validate(model, text->val, {.tokens = tokens, .sequence_tokens = 16, .batch_sequences = 3},
                 alone->get());
    REQUIRE(got.ok());
    // Window by window, softmax in float64.
    const int64_t count = std::min<int64_t>(tokens, text->val.size() - 1);
    double loss = 0;
    int64_t right = 0;
    const at::NoGradGuard no_grad;
    for (int64_t start = 0; start < count; start += 16) {
      const int64_t length = std::min<int64_t>(16, count - start);
      std::vector<int64_t> row(static_cast<size_t>(length + 1));
      text->val.Copy(start, absl::MakeSpan(row));
      const at::Tensor all = at::tensor(row, at::kLong);
      const at::Tensor logits =
          model.Logits(all.narrow(0, 0, length).unsqueeze(0)).to(at::kDouble)[0];
      for (int64_t t = 0; t < length; ++t) {
        const int64_t target = row[static_cast<size_t>(t + 1)];
        loss += (logits[t].exp().sum().log() - logits[t][target]).item<double>();
        right += logits[t].argmax().item<int64_t>() == target ? 1 : 0;
      }
    }
    CHECK(got->tokens == count);
    CHECK(got->loss == Approx(loss / static_cast<double>(count)).epsilon(1e-6));
    CHECK(got->accuracy == Approx(static_cast<double>(right) / static_cast<double>(count)));
  }
}

}  // namespace
}  // namespace ddl
