#include "cli/interrupt.h"

#include <chrono>
#include <utility>

namespace ddl::cli {

void Interrupt::Raise() {
  // Listeners run under the lock so that Remove can promise that they are over; they only set
  // flags.
  MutexLock lock(&mutex_);
  if (raised_) return;
  raised_ = true;
  for (const auto& [id, listener] : listeners_) listener();
  wake_.notify_all();
}

bool Interrupt::raised() const {
  MutexLock lock(&mutex_);
  return raised_;
}

bool Interrupt::WaitFor(absl::Duration limit) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(limit);
  MutexLock lock(&mutex_);
  while (!raised_) {
    if (wake_.wait_until(mutex_, until) == std::cv_status::timeout) break;
  }
  return raised_;
}

uint64_t Interrupt::Add(std::function<void()> listener) {
  MutexLock lock(&mutex_);
  if (raised_) listener();
  listeners_[++last_id_] = std::move(listener);
  return last_id_;
}

void Interrupt::Remove(uint64_t id) {
  MutexLock lock(&mutex_);
  listeners_.erase(id);
}

}  // namespace ddl::cli
