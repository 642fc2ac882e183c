#include "worker/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "worker/data/batch_loader.h"

namespace ddl {
namespace {

// Adds loss, right tokens and tokens of one batch to `sums`.
void AddBatch(const Transformer& model, const Batch& batch, at::Tensor* sums) {
  const at::Tensor indices = batch.indices.to(model.device());
  const at::Tensor targets = batch.targets.to(model.device());
  const at::Tensor logits = model.Logits(indices);
  sums->select(0, 0).add_(Transformer::LossSum(logits, targets).to(at::kDouble));
  sums->select(0, 1).add_(logits.argmax(-1).eq(targets).sum());
  sums->select(0, 2).add_(static_cast<double>(targets.numel()));
}

// The window of `tokens` tokens at the end of the plan that is shorter than a sequence.
Batch Remainder(const TokenText& text, int64_t start, int64_t tokens) {
  const at::Tensor row = at::empty({1, tokens + 1}, at::kLong);
  text.Copy(start, absl::MakeSpan(row.data_ptr<int64_t>(), static_cast<size_t>(tokens + 1)));
  return {row.narrow(1, 0, tokens).contiguous(), row.narrow(1, 1, tokens).contiguous()};
}

}  // namespace

absl::StatusOr<Validation> Validate(const Transformer& model, const TokenText& text,
                                    const ValidationPlan& plan, Collective* collective) {
  const at::NoGradGuard no_grad;
  const int64_t length = plan.sequence_tokens;
  const int64_t predicted = std::min(plan.tokens, text.size() - 1);
  const int64_t windows = predicted / length;
  at::Tensor sums = at::zeros({3}, at::TensorOptions().dtype(at::kDouble).device(model.device()));

  // Batch b belongs to rank b mod R, and the remainder to the rank behind the last batch.
  int64_t batch = 0;
  for (int64_t first = 0; first < windows; first += plan.batch_sequences, ++batch) {
    if (batch % collective->size() != collective->rank()) continue;
    std::vector<int64_t> chosen;
    const int64_t end = std::min(windows, first + plan.batch_sequences);
    for (int64_t window = first; window < end; ++window) chosen.push_back(window);
    AddBatch(model, BatchLoader::Read(text, chosen, length), &sums);
  }
  const int64_t rest = predicted - windows * length;
  if (rest > 0 && batch % collective->size() == collective->rank()) {
    AddBatch(model, Remainder(text, windows * length, rest), &sums);
  }
  DDL_RETURN_IF_ERROR(collective->Sum(sums));
  sums = sums.to(at::kCPU);
  const auto tokens = sums[2].item<double>();
  return Validation{.loss = sums[0].item<double>() / tokens,
                    .accuracy = sums[1].item<double>() / tokens,
                    .tokens = static_cast<int64_t>(tokens)};
}

}  // namespace ddl
