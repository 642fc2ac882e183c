#include "coordinator/service/write_patience.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace ddl::coordinator {

WritePatience::WritePatience(grpc::ServerContext* context, absl::Duration limit)
    : limit_(limit), shared_(std::make_shared<Shared>()) {
  MutexLock lock(&shared_->mutex);
  shared_->context = context;
}

WritePatience::~WritePatience() {
  MutexLock lock(&shared_->mutex);
  shared_->context = nullptr;
}

absl::Status WritePatience::Write(const std::function<bool()>& write) {
  const absl::Time begin = absl::Now();
  bool written = false;
  {
    grpc::Alarm alarm;
    alarm.Set(absl::ToChronoTime(begin + limit_), [shared = shared_](bool expired) {
      if (!expired) return;
      MutexLock lock(&shared->mutex);
      if (shared->context != nullptr) shared->context->TryCancel();
    });
    written = write();
  }
  const absl::Duration took = absl::Now() - begin;
  if (took >= limit_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the reader took ", absl::FormatDuration(took), " for one message, more than ",
                     absl::FormatDuration(limit_), " allow, and is cut off"));
  }
  return written ? absl::OkStatus() : absl::CancelledError("the client has gone");
}

}  // namespace ddl::coordinator
