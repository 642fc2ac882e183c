#include "worker/data/text_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/check.h"

namespace ddl {
namespace {

constexpr int64_t kTokenBytes = 2;  // In a shard.

// `length` tokens and their targets from each of `starts` on.
Batch ReadWindows(const TokenText& text, absl::Span<const int64_t> starts, int64_t length) {
  const auto count = static_cast<int64_t>(starts.size());
  const at::Tensor rows = at::empty({count, length + 1}, at::kLong);
  for (int64_t row = 0; row < count; ++row) {
    int64_t* const first = rows.data_ptr<int64_t>() + row * (length + 1);
    text.Copy(starts[static_cast<size_t>(row)],
              absl::MakeSpan(first, static_cast<size_t>(length + 1)));
  }
  return {.indices = rows.narrow(1, 0, length).contiguous(),
          .targets = rows.narrow(1, 1, length).contiguous(),
          .read_bytes = kTokenBytes * rows.numel()};
}

}  // namespace

TextSource::TextSource(TrainingText text, const TextPlan& plan)
    : text_(std::move(text)),
      plan_(plan),
      order_(plan.seed, text_.train.Windows(plan.sequence_tokens)),
      val_tokens_(std::min(plan.val_tokens, text_.val.size() - 1)),
      val_windows_(val_tokens_ / plan.sequence_tokens) {}

Batch TextSource::TrainSamples(int64_t first, int64_t count) const {
  std::vector<int64_t> starts;
  for (int64_t i = 0; i < count; ++i) {
    starts.push_back(order_.Window(first + i) * plan_.sequence_tokens);
  }
  return ReadWindows(text_.train, starts, plan_.sequence_tokens);
}

int64_t TextSource::ValBatches() const {
  const int64_t whole = (val_windows_ + plan_.val_batch_sequences - 1) / plan_.val_batch_sequences;
  return whole + (val_tokens_ > val_windows_ * plan_.sequence_tokens ? 1 : 0);
}

Batch TextSource::ValBatch(int64_t index) const {
  DDL_CHECK(index >= 0 && index < ValBatches());
  const int64_t length = plan_.sequence_tokens;
  const int64_t first = index * plan_.val_batch_sequences;
  if (first >= val_windows_) {
    const int64_t start = val_windows_ * length;
    return ReadWindows(text_.val, {start}, val_tokens_ - start);
  }
  std::vector<int64_t> starts;
  const int64_t end = std::min(val_windows_, first + plan_.val_batch_sequences);
  for (int64_t window = first; window < end; ++window) starts.push_back(window * length);
  return ReadWindows(text_.val, starts, length);
}

}  // namespace ddl
