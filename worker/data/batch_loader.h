// Micro-batches of one rank, in the order in which it trains on them, read ahead by one thread into
// a bounded queue.
//
// Sample s * S + i is sequence i of step s (S sequences a step); rank r of R takes the r-th of R
// equal parts of every step.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <thread>

#include "common/mutex.h"
#include "worker/data/sequence_source.h"

namespace ddl {

struct BatchPlan {
  int64_t sequences = 0;        // Of one step over all ranks; a multiple of ranks.
  int64_t micro_sequences = 0;  // Of one micro-batch; the last of a step may be smaller.
  int64_t ranks = 1;
  int64_t rank = 0;

  int64_t SequencesPerRank() const { return sequences / ranks; }
  int64_t MicroBatches() const {
    return (SequencesPerRank() + micro_sequences - 1) / micro_sequences;
  }
};

class BatchLoader {
 public:
  static constexpr size_t kQueueBatches = 4;

  // `data` outlives this. Begins with the first micro-batch of `first_step` (from 0).
  BatchLoader(const SequenceSource* data, const BatchPlan& plan, int64_t first_step);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  // The next micro-batch; waits until it has been read.
  Batch Next();

  // Answers of one step over all ranks.
  int64_t StepAnswers() const { return plan_.sequences * data_->AnswersPerSample(); }

 private:
  void ReadAhead(int64_t first_step);
  bool Put(Batch batch);  // False once the loader ends.

  const SequenceSource* data_;
  const BatchPlan plan_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Batch> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;  // Last: it uses all of the above.
};

}  // namespace ddl
