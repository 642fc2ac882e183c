// Connections for reads, lent to one thread at a time. A read sees committed data only and never
// waits for the writer.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "coordinator/store/sqlite.h"

namespace ddl::coordinator {

class ReaderPool {
 public:
  // Opens connections as needed, at most `most` of them.
  ReaderPool(std::string path, int most) : path_(std::move(path)), most_(most) {}

  // Calls `read` with a connection; blocks while all are lent.
  absl::Status With(const std::function<absl::Status(Database*)>& read);

 private:
  absl::StatusOr<std::unique_ptr<Database>> Borrow();
  void Return(std::unique_ptr<Database> connection);

  const std::string path_;
  const int most_;
  Mutex mutex_;
  std::condition_variable_any returned_;
  std::vector<std::unique_ptr<Database>> idle_ ABSL_GUARDED_BY(mutex_);
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ddl::coordinator
