// Writes checkpoints behind training's back: one thread a checkpoint, at most one at a time.
//
// The training thread owns this and alone reports what came of it, at step boundaries.
#pragma once

#include <future>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/train/checkpoint.h"
#include "worker/train/launch.h"

namespace ddl {

// What came of one write.
struct CheckpointOutcome {
  Progress progress;
  bool final = false;
  double snapshot_seconds = 0;
  double write_seconds = 0;
  absl::StatusOr<WrittenCheckpoint> written;
};

class CheckpointWriter {
 public:
  // `manifest` has what is the same for all checkpoints of the attempt.
  CheckpointWriter(std::string attempt_folder, Manifest manifest)
      : attempt_folder_(std::move(attempt_folder)), manifest_(std::move(manifest)) {}

  bool busy() const { return pending_.valid(); }

  // Starts a write; not while busy().
  void Start(Snapshot snapshot, double snapshot_seconds);

  // The outcome of a write that has ended; nullopt while it goes on or when there is none.
  std::optional<CheckpointOutcome> Poll();
  // As Poll, after waiting for the end.
  std::optional<CheckpointOutcome> Wait();

 private:
  std::string attempt_folder_;
  Manifest manifest_;
  std::future<CheckpointOutcome> pending_;  // Its destructor waits.
};

}  // namespace ddl
