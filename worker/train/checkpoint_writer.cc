#include "worker/train/checkpoint_writer.h"

#include <chrono>
#include <utility>

#include "common/check.h"

namespace ddl {
namespace {

CheckpointOutcome Write(const std::string& attempt_folder, const Snapshot& snapshot,
                        Manifest manifest, double snapshot_seconds) {
  manifest.step = snapshot.progress.step;
  manifest.tokens = snapshot.progress.tokens;
  manifest.active_seconds = snapshot.progress.active_seconds;
  manifest.finite = snapshot.progress.finite;
  manifest.best_val_loss = snapshot.progress.best_val_loss;
  manifest.written = absl::Now();
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<WrittenCheckpoint> written =
      WriteCheckpoint(attempt_folder, snapshot, std::move(manifest));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {.progress = snapshot.progress,
          .final = snapshot.final,
          .snapshot_seconds = snapshot_seconds,
          .write_seconds = seconds.count(),
          .written = std::move(written)};
}

}  // namespace

void CheckpointWriter::Start(Snapshot snapshot, double snapshot_seconds) {
  DDL_CHECK(!busy());
  pending_ = std::async(std::launch::async, [folder = attempt_folder_, manifest = manifest_,
                                             snapshot = std::move(snapshot), snapshot_seconds] {
    return Write(folder, snapshot, manifest, snapshot_seconds);
  });
}

std::optional<CheckpointOutcome> CheckpointWriter::Poll() {
  if (!busy() || pending_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    return std::nullopt;
  }
  return pending_.get();
}

std::optional<CheckpointOutcome> CheckpointWriter::Wait() {
  if (!busy()) return std::nullopt;
  return pending_.get();
}

}  // namespace ddl
