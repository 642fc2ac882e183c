// Which checkpoint a rank starts from: the newest that all ranks find whole.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/comm/collective.h"
#include "worker/train/checkpoint.h"
#include "worker/train/events.h"
#include "worker/train/launch.h"

namespace ddl {

struct Resumed {
  std::string folder;  // Relative to the checkpoint root.
  Manifest manifest;
  Progress progress;
};

// Restores the newest good checkpoint of the launch; nullopt when the launch has none. Every
// refused one is reported and logged. kDataLoss when there are some and none is good: a run never
// starts from zero behind its user's back. kUnavailable: a peer is lost.
absl::StatusOr<std::optional<Resumed>> Resume(const Launch& launch, Parameters* parameters,
                                              Optimizer* optimizer, Collective* collective,
                                              EventSink* events);

// What differs from the attempt that wrote the checkpoint and may change bits; empty: nothing.
std::string ResumeDifference(const Manifest& then, const Manifest& now);

}  // namespace ddl
