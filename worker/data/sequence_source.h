// What a run trains and validates on, as batches of sequences: the seam between the training loop
// and the places that sequences come from.
//
// Pure but for the memory it reads: a batch is a function of its number, so that neither a restart
// nor another number of ranks changes it. Safe to read from any thread.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace ddl {

struct Batch {
  at::Tensor indices;      // (B,T) int64, on the CPU.
  at::Tensor targets;      // (B,T) int64; kNoAnswer (common/synthetic_sequence.h) asks nothing.
  int64_t read_bytes = 0;  // Of files.
};

class SequenceSource {
 public:
  virtual ~SequenceSource() = default;

  // Samples first .. first + count - 1 of the run, count >= 1.
  virtual Batch TrainSamples(int64_t first, int64_t count) const = 0;
  // Tokens of each of them that have an answer: what the mean loss of a step divides by.
  virtual int64_t AnswersPerSample() const = 0;

  // The validation set, the same for every seed.
  virtual int64_t ValBatches() const = 0;
  virtual Batch ValBatch(int64_t index) const = 0;  // index < ValBatches()
  // Whether a position means the same in every sequence, so that accuracy at it is worth a point.
  virtual bool ValByPosition() const = 0;
};

}  // namespace ddl
