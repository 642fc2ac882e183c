// Events into a rank's spool (common/spool.h), numbered without gaps. Sees protobuf, never
// LibTorch.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/spool.h"
#include "worker/train/events.h"

namespace ddl {

class SpoolSink final : public EventSink {
 public:
  // Events that a full disk holds back before the rank has to end.
  static constexpr size_t kMaxHeldEvents = 10000;

  using Clock = std::function<absl::Time()>;
  // Makes `path`, which must not hold records already: a rank of an attempt runs once.
  static absl::StatusOr<std::unique_ptr<SpoolSink>> Open(const std::string& path, Clock clock);

  SpoolSink(SpoolWriter writer, Clock clock);

  // A full disk holds events back, in order, for the next call; kResourceExhausted over the limit
  // or when an event has to be durable.
  absl::Status Write(const RankEvent& event) override;

 private:
  absl::Status Drain(bool sync);

  SpoolWriter writer_;
  Clock clock_;
  uint64_t last_seq_ = 0;
  std::deque<std::string> held_;
};

}  // namespace ddl
