// Simulated time: what happens next, in order of time and, at one time, of planning.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

namespace ddl::sim {

class EventQueue {
 public:
  void After(absl::Duration delay, std::function<void()> action) {
    planned_.emplace(std::pair(now_ + delay, ++sequence_), std::move(action));
  }
  bool empty() const { return planned_.empty(); }
  // Moves time to the next event and lets it happen.
  void RunNext() {
    auto node = planned_.extract(planned_.begin());
    now_ = node.key().first;
    ++count_;
    node.mapped()();
  }
  absl::Duration now() const { return now_; }  // Since the start; never jumps.
  uint64_t count() const { return count_; }

 private:
  absl::Duration now_;
  uint64_t sequence_ = 0;
  uint64_t count_ = 0;
  std::map<std::pair<absl::Duration, uint64_t>, std::function<void()>> planned_;
};

}  // namespace ddl::sim
