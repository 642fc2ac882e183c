#include "coordinator/service/change_feed.h"

namespace ddl::coordinator {

void ChangeFeed::Begin(uint64_t version) {
  MutexLock lock(&mutex_);
  begin_ = version_ = version;
}

void ChangeFeed::Publish(uint64_t version, const std::vector<std::string>& changed_runs) {
  MutexLock lock(&mutex_);
  version_ = version;
  for (const std::string& run : changed_runs) changed_at_[run] = version;
  changed_.notify_all();
}

void ChangeFeed::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  changed_.notify_all();
}

uint64_t ChangeFeed::version() const {
  MutexLock lock(&mutex_);
  return version_;
}

uint64_t ChangeFeed::VersionOf(const std::string& run) const {
  MutexLock lock(&mutex_);
  const auto found = changed_at_.find(run);
  return found == changed_at_.end() ? begin_ : found->second;
}

void ChangeFeed::WaitBeyond(uint64_t seen, absl::Time until) {
  MutexLock lock(&mutex_);
  while (version_ <= seen && !closed_) {
    if (changed_.wait_until(mutex_, absl::ToChronoTime(until)) == std::cv_status::timeout) return;
  }
}

bool ChangeFeed::closed() const {
  MutexLock lock(&mutex_);
  return closed_;
}

}  // namespace ddl::coordinator
