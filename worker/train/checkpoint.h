// What a checkpoint is on disk: a folder step-<n> with shard-0.safetensors (weights and the
// optimizer's state, in fp32, by name) and manifest.pb, written last. State is the same on all
// ranks, so rank 0 writes it and all ranks read it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/safetensors.h"
#include "worker/model/parameters.h"
#include "worker/optim/optimizer.h"
#include "worker/train/launch.h"
#include "worker/train/manifest.h"
#include "worker/train/progress.h"

namespace ddl {

// A copy of all state on the CPU; training may go on while it is written.
struct Snapshot {
  Progress progress;
  std::vector<NamedTensor> tensors;  // "weights/<name>" and the optimizer's.
  std::string parameters_sha256;     // Empty but for the final one.
  bool final = false;
};

Snapshot TakeSnapshot(const Progress& progress, const Parameters& parameters,
                      const Optimizer& optimizer);

struct WrittenCheckpoint {
  std::string folder;  // Base name: "step-<n>".
  std::string manifest_sha256;
  uint64_t bytes = 0;
};

// Writes `snapshot` under `attempt_folder`, durably, manifest last. `manifest` has all but the
// shards. After an error nothing of it is left. kResourceExhausted for a full disk.
absl::StatusOr<WrittenCheckpoint> WriteCheckpoint(const std::string& attempt_folder,
                                                  const Snapshot& snapshot, Manifest manifest);

// A checkpoint whose every digest, size and shape is as it should be.
struct VerifiedCheckpoint {
  Manifest manifest;
  SafetensorsFile shard;
};

// kNotFound or kDataLoss, naming the file and the rule. Reads every byte.
absl::StatusOr<VerifiedCheckpoint> VerifyCheckpoint(const Launch& launch,
                                                    const CheckpointReference& reference,
                                                    const Parameters& parameters,
                                                    const Optimizer& optimizer);

// Puts a verified checkpoint's state in place.
Progress Restore(const VerifiedCheckpoint& checkpoint, Parameters* parameters,
                 Optimizer* optimizer);

}  // namespace ddl
