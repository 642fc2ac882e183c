// A limit of time on the writes of one stream: a reader that takes longer for one message is cut
// off, so that it does not hold one of the server's threads.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/mutex.h"

namespace ddl::coordinator {

class WritePatience {
 public:
  // `context` must outlive this.
  WritePatience(grpc::ServerContext* context, absl::Duration limit);
  ~WritePatience();
  WritePatience(const WritePatience&) = delete;
  WritePatience& operator=(const WritePatience&) = delete;

  // Runs `write`, which blocks while the reader does not read. kCancelled when the reader has gone;
  // kResourceExhausted, with the reason, when it was too slow: then the call is cancelled if the
  // write would still block, and no status reaches the reader.
  absl::Status Write(const std::function<bool()>& write);

 private:
  // What an alarm that fires late may still touch.
  struct Shared {
    Mutex mutex;
    grpc::ServerContext* context ABSL_GUARDED_BY(mutex) = nullptr;
  };

  const absl::Duration limit_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ddl::coordinator
