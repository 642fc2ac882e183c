// What a rank reports, as plain structs (proto/ddl/v1/events.proto), and where it reports to.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/series.h"

namespace ddl {

struct RankStarted {
  std::string device;
  std::string engine;
  std::string engine_reason;
  uint32_t recipe_version = 0;
  int64_t resumed_step = 0;
  std::string resumed_from;
  uint64_t parameters = 0;
  double flops_per_token = 0;
  std::string library_versions;
  std::string resume_difference;
};

struct Sample {
  std::string name;  // One of common/series.h.
  double value = 0;
  series::Labels labels;
};

struct StepRecord {
  int64_t step = 0;
  int64_t tokens = 0;
  double flops = 0;
  double active_seconds = 0;
  std::vector<Sample> samples;
};

struct CheckpointPrepared {
  int64_t step = 0;
  int64_t tokens = 0;
  std::string folder;
  std::string manifest_sha256;
  uint64_t bytes = 0;
  double snapshot_seconds = 0;
  double write_seconds = 0;
  bool final = false;
};

struct CheckpointFailed {
  int64_t step = 0;
  std::string phase;
  std::string reason;
  std::string message;
};

struct CheckpointRejected {
  std::string folder;
  int64_t step = 0;
  std::string message;
};

// Numbered as v1::ExitClass.
enum class ExitClass {
  kSuccess = 1,
  kPreempted = 2,
  kUser = 3,
  kOutOfMemory = 4,
  kInfrastructure = 5,
  kCheckpoint = 6,
};

struct RankExited {
  int exit_code = 0;
  ExitClass exit_class = ExitClass::kSuccess;
  std::string message;
  int64_t step = 0;
};

struct RunNotice {
  std::string severity;  // info, warning, error.
  std::string message;
};

using RankEvent = std::variant<RankStarted, StepRecord, CheckpointPrepared, CheckpointFailed,
                               CheckpointRejected, RankExited, RunNotice>;

class EventSink {
 public:
  virtual ~EventSink() = default;
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  // Prepared checkpoints and exits are durable when it returns OK. An error: the event is lost and
  // the rank must end.
  virtual absl::Status Write(const RankEvent& event) = 0;
};

}  // namespace ddl
