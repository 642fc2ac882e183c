// Ctrl-C, as a value that verbs wait on and blocking calls are cancelled by.
//
// main.cc raises it from a thread that waits for SIGINT and SIGTERM; tests raise it themselves.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>

#include "absl/time/time.h"
#include "common/mutex.h"

namespace ddl::cli {

class Interrupt {
 public:
  // Marks it raised, wakes every wait and calls every listener, once. Repeating it does nothing.
  void Raise();
  bool raised() const;

  // Waits until it is raised, at most `limit`; true when it is raised.
  bool WaitFor(absl::Duration limit);

  // `listener` is called by Raise, or now if that has happened; it must not block. Remove before
  // what it refers to goes; after Remove returns it is not running.
  uint64_t Add(std::function<void()> listener);
  void Remove(uint64_t id);

 private:
  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  bool raised_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::function<void()>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ddl::cli
