// Tells watchers that something changed, and what changed since which version of the state.
//
// Versions are those of State::version, published once they are durable. What this process has not
// seen change carries the version at which it started.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/mutex.h"

namespace ddl::coordinator {

class ChangeFeed {
 public:
  // Every run counts as changed at `version`, the state's at the start.
  void Begin(uint64_t version);
  void Publish(uint64_t version, const std::vector<std::string>& changed_runs);
  // Wakes all waiting calls, now and in future: the process ends.
  void Close();

  uint64_t version() const;
  // When `run` last changed.
  uint64_t VersionOf(const std::string& run) const;
  // Returns at once when the version is above `seen` or the feed is closed, otherwise at `until`.
  void WaitBeyond(uint64_t seen, absl::Time until);
  bool closed() const;

 private:
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t begin_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, uint64_t> changed_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::coordinator
