#include "coordinator/store/reader_pool.h"

#include <utility>

#include "common/status.h"

namespace ddl::coordinator {

absl::Status ReaderPool::With(const std::function<absl::Status(Database*)>& read) {
  DDL_ASSIGN_OR_RETURN(std::unique_ptr<Database> connection, Borrow());
  const absl::Status status = read(connection.get());
  Return(std::move(connection));
  return status;
}

absl::StatusOr<std::unique_ptr<Database>> ReaderPool::Borrow() {
  {
    MutexLock lock(&mutex_);
    while (idle_.empty() && open_ == most_) returned_.wait(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Database> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<Database>> opened = Database::Open(path_, Database::Role::kReader);
  if (!opened.ok()) {
    MutexLock lock(&mutex_);
    --open_;
    returned_.notify_one();
  }
  return opened;
}

void ReaderPool::Return(std::unique_ptr<Database> connection) {
  MutexLock lock(&mutex_);
  idle_.push_back(std::move(connection));
  returned_.notify_one();
}

}  // namespace ddl::coordinator
