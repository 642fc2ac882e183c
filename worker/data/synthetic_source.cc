#include "worker/data/synthetic_source.h"

#include <algorithm>
#include <array>

#include "common/check.h"

namespace ddl {
namespace {

constexpr uint64_t kValSeed = 0;  // Of every run: validation sequences are the same for all.

// The words of one sample: 2^32 positions of the stream, four words each.
class SampleWords {
 public:
  SampleWords(const RandomStream& stream, int64_t sample)
      : stream_(stream), position_(static_cast<uint64_t>(sample) << 32) {
    DDL_CHECK(sample >= 0 && sample < int64_t{1} << 32);
  }

  uint32_t Next() {
    if (used_ == words_.size()) {
      words_ = stream_.At(position_++);
      used_ = 0;
    }
    return words_.at(used_++);
  }

 private:
  const RandomStream& stream_;
  uint64_t position_;
  std::array<uint32_t, 4> words_{};
  size_t used_ = words_.size();
};

}  // namespace

SyntheticSource::SyntheticSource(const SyntheticPlan& plan)
    : plan_(plan), train_(plan.seed, "synthetic_train"), val_(kValSeed, "synthetic_val") {
  DDL_CHECK(plan.val_sequences >= 1 && plan.val_batch_sequences >= 1);
}

Batch SyntheticSource::Draw(SyntheticSplit split, const RandomStream& stream, int64_t first,
                            int64_t count) const {
  const int64_t length = plan_.task.tokens;
  Batch batch{.indices = at::empty({count, length}, at::kLong),
              .targets = at::empty({count, length}, at::kLong)};
  for (int64_t row = 0; row < count; ++row) {
    SampleWords words(stream, first + row);
    const SyntheticSequence sequence =
        DrawSequenceOf(split, plan_.task, [&words] { return words.Next(); });
    DDL_CHECK(static_cast<int64_t>(sequence.tokens.size()) == length);
    std::copy(sequence.tokens.begin(), sequence.tokens.end(),
              batch.indices.data_ptr<int64_t>() + row * length);
    std::copy(sequence.targets.begin(), sequence.targets.end(),
              batch.targets.data_ptr<int64_t>() + row * length);
  }
  return batch;
}

Batch SyntheticSource::TrainSamples(int64_t first, int64_t count) const {
  return Draw(SyntheticSplit::kTrain, train_, first, count);
}

int64_t SyntheticSource::ValBatches() const {
  return (plan_.val_sequences + plan_.val_batch_sequences - 1) / plan_.val_batch_sequences;
}

Batch SyntheticSource::ValBatch(int64_t index) const {
  DDL_CHECK(index >= 0 && index < ValBatches());
  const int64_t first = index * plan_.val_batch_sequences;
  return Draw(SyntheticSplit::kVal, val_, first,
              std::min(plan_.val_batch_sequences, plan_.val_sequences - first));
}

}  // namespace ddl
