// Sequences from token shards: training windows in the order of worker/data/sample_order.h,
// validation windows from the start of the split.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/data/sample_order.h"
#include "worker/data/sequence_source.h"
#include "worker/data/training_text.h"

namespace ddl {

struct TextPlan {
  uint64_t seed = 1;
  int64_t sequence_tokens = 0;  // T
  int64_t val_tokens = 0;       // To predict; capped at the split's.
  int64_t val_batch_sequences = 1;
};

class TextSource final : public SequenceSource {
 public:
  TextSource(TrainingText text, const TextPlan& plan);

  Batch TrainSamples(int64_t first, int64_t count) const override;
  int64_t AnswersPerSample() const override { return plan_.sequence_tokens; }
  // Whole windows, val_batch_sequences of them a batch, then the window of the remaining tokens,
  // which is shorter.
  int64_t ValBatches() const override;
  Batch ValBatch(int64_t index) const override;
  bool ValByPosition() const override { return false; }

 private:
  TrainingText text_;
  TextPlan plan_;
  SampleOrder order_;
  int64_t val_tokens_;   // That are predicted.
  int64_t val_windows_;  // Whole ones.
};

}  // namespace ddl
