// Sequences of a synthetic environment (common/synthetic_sequence.h). Training sample i is a
// function of (seed, i), without epochs; validation sequence j of j alone. A sequence belongs to
// one split by its tokens, so that no validation sequence is ever trained on.
#pragma once

#include <cstdint>

#include "common/synthetic_sequence.h"
#include "worker/data/sequence_source.h"
#include "worker/model/random_stream.h"

namespace ddl {

struct SyntheticPlan {
  SyntheticTask task;
  uint64_t seed = 1;
  int64_t val_sequences = 1;
  int64_t val_batch_sequences = 1;
};

class SyntheticSource final : public SequenceSource {
 public:
  // val_sequences and val_batch_sequences are at least 1.
  explicit SyntheticSource(const SyntheticPlan& plan);

  Batch TrainSamples(int64_t first, int64_t count) const override;
  int64_t AnswersPerSample() const override { return plan_.task.Answers(); }
  int64_t ValBatches() const override;
  Batch ValBatch(int64_t index) const override;
  bool ValByPosition() const override { return true; }

 private:
  Batch Draw(SyntheticSplit split, const RandomStream& stream, int64_t first, int64_t count) const;

  SyntheticPlan plan_;
  RandomStream train_;
  RandomStream val_;
};

}  // namespace ddl
