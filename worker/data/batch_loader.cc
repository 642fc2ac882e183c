#include "worker/data/batch_loader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/check.h"

namespace ddl {

BatchLoader::BatchLoader(const TokenText* text, SampleOrder order, const BatchPlan& plan,
                         int64_t first_step)
    : text_(text), order_(order), plan_(plan) {
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

Batch BatchLoader::Read(const TokenText& text, absl::Span<const int64_t> windows, int64_t tokens) {
  const auto count = static_cast<int64_t>(windows.size());
  const at::Tensor rows = at::empty({count, tokens + 1}, at::kLong);
  for (int64_t row = 0; row < count; ++row) {
    int64_t* const first = rows.data_ptr<int64_t>() + row * (tokens + 1);
    text.Copy(windows[static_cast<size_t>(row)] * tokens,
              absl::MakeSpan(first, static_cast<size_t>(tokens + 1)));
  }
  return {rows.narrow(1, 0, tokens).contiguous(), rows.narrow(1, 1, tokens).contiguous()};
}

void BatchLoader::ReadAhead(int64_t first_step) {
  const int64_t share = plan_.SequencesPerRank();
  for (int64_t step = first_step;; ++step) {
    const int64_t first = step * plan_.sequences + plan_.rank * share;
    for (int64_t done = 0; done < share; done += plan_.micro_sequences) {
      std::vector<int64_t> windows;
      const int64_t count = std::min(plan_.micro_sequences, share - done);
      for (int64_t i = 0; i < count; ++i) windows.push_back(order_.Window(first + done + i));
      if (!Put(Read(*text_, windows, plan_.tokens))) return;
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
