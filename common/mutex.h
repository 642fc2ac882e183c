// std::mutex with the annotations that clang's -Wthread-safety reads. Debian's absl::Mutex would
// do, but ThreadSanitizer cannot see into it and reports races that are none.
#pragma once

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace ddl {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { native_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { native_.unlock(); }
  // For std::condition_variable_any, which asks for these names.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { Lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { Unlock(); }

 private:
  std::mutex native_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(*mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace ddl
