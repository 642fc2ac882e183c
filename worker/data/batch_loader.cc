#include "worker/data/batch_loader.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace ddl {

BatchLoader::BatchLoader(const SequenceSource* data, const BatchPlan& plan, int64_t first_step)
    : data_(data), plan_(plan) {
  DDL_CHECK(plan.sequences % plan.ranks == 0 && plan.micro_sequences > 0);
  reader_ = std::thread([this, first_step] { ReadAhead(first_step); });
}

BatchLoader::~BatchLoader() {
  {
    const MutexLock lock(&mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  reader_.join();
}

void BatchLoader::ReadAhead(int64_t first_step) {
  const int64_t share = plan_.SequencesPerRank();
  for (int64_t step = first_step;; ++step) {
    const int64_t first = step * plan_.sequences + plan_.rank * share;
    for (int64_t done = 0; done < share; done += plan_.micro_sequences) {
      const int64_t count = std::min(plan_.micro_sequences, share - done);
      if (!Put(data_->TrainSamples(first + done, count))) return;
    }
  }
}

bool BatchLoader::Put(Batch batch) {
  mutex_.Lock();
  while (queue_.size() >= kQueueBatches && !ending_) changed_.wait(mutex_);
  const bool wanted = !ending_;
  if (wanted) queue_.push_back(std::move(batch));
  mutex_.Unlock();
  changed_.notify_all();
  return wanted;
}

Batch BatchLoader::Next() {
  mutex_.Lock();
  while (queue_.empty()) changed_.wait(mutex_);
  Batch batch = std::move(queue_.front());
  queue_.pop_front();
  mutex_.Unlock();
  changed_.notify_all();
  return batch;
}

}  // namespace ddl
