#include "tests/sim/journal_disk.h"

namespace ddl::sim {

absl::Status JournalDisk::Commit(const coordinator::Transaction& transaction) {
  interrupted_.clear();
  if (crash_) {
    const CrashOutcome outcome = *crash_;
    crash_.reset();
    if (outcome == CrashOutcome::kKept) {
      Write(transaction);
    } else {
      interrupted_ = transaction.events;
      torn_tail_ = outcome == CrashOutcome::kTorn;
    }
    return absl::InternalError("the process was killed while it wrote");
  }
  if (full_) return absl::ResourceExhaustedError("no space left on device");
  Write(transaction);
  return absl::OkStatus();
}

void JournalDisk::Write(const coordinator::Transaction& transaction) {
  for (const std::string& event : transaction.events) journal_.push_back(event);
  for (const coordinator::MetricRecords& metrics : transaction.metrics) {
    auto& points = points_[metrics.run];
    for (const v1::StepRecord& record : metrics.records) {
      for (const v1::Sample& sample : record.samples()) {
        const auto added = points.emplace(std::pair(metrics.epoch, record.step()), sample.value());
        doubled_points_ += added.second ? 0 : 1;
      }
    }
  }
  for (const coordinator::EventCursor& cursor : transaction.cursors) {
    cursors_[{cursor.run, cursor.epoch, cursor.rank}] = cursor.seq;
  }
  for (const coordinator::StoredReply& reply : transaction.replies) {
    replies_.emplace(std::pair(reply.principal, reply.request_id), reply);
  }
}

absl::StatusOr<coordinator::Recovery> JournalDisk::Recover() {
  torn_tail_ = false;  // A torn last record never was.
  coordinator::Recovery recovery;
  recovery.snapshot_seq = snapshot_seq_;
  recovery.snapshot = snapshot_;
  recovery.events.assign(journal_.begin() + static_cast<std::ptrdiff_t>(snapshot_seq_),
                         journal_.end());
  return recovery;
}

absl::Status JournalDisk::WriteSnapshot(uint64_t seq, const std::string& snapshot) {
  if (full_) return absl::ResourceExhaustedError("no space left on device");
  snapshot_seq_ = seq;
  snapshot_ = snapshot;
  ++snapshots_;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<coordinator::StoredReply>> JournalDisk::FindReply(
    const std::string& principal, const std::string& request_id) {
  const auto found = replies_.find({principal, request_id});
  if (found == replies_.end()) return std::optional<coordinator::StoredReply>();
  return std::optional<coordinator::StoredReply>(found->second);
}

absl::StatusOr<uint64_t> JournalDisk::DurableSeq(const std::string& run, uint64_t epoch,
                                                 uint32_t rank) {
  const auto found = cursors_.find({run, epoch, rank});
  return found == cursors_.end() ? uint64_t{0} : found->second;
}

absl::StatusOr<std::vector<std::string>> JournalDisk::SeriesNames(const std::string& run) {
  if (points_.count(run) == 0) return std::vector<std::string>();
  return std::vector<std::string>{"train_loss"};
}

absl::Status JournalDisk::ReadSeries(const std::string& run, const std::string& /*series*/,
                                     const coordinator::Lineage& lineage,
                                     const std::function<bool(const v1::SeriesChunk&)>& take) {
  v1::SeriesChunk chunk;
  chunk.set_run(run);
  const auto found = points_.find(run);
  if (found == points_.end()) return absl::OkStatus();
  for (const auto& [key, value] : found->second) {
    const auto bound = lineage.superseded_after.find(key.first);
    if (bound != lineage.superseded_after.end() && key.second > bound->second) continue;
    v1::Point* point = chunk.add_points();
    point->set_step(key.second);
    point->set_value(value);
  }
  take(chunk);
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, coordinator::RunProgress>> JournalDisk::Progress(
    const std::vector<std::string>& /*runs*/) {
  return std::map<std::string, coordinator::RunProgress>();
}

bool JournalDisk::HasEachStepOnce(const std::string& run, const coordinator::Lineage& lineage,
                                  int64_t last) const {
  std::vector<int> seen(static_cast<size_t>(last) + 1, 0);
  const auto found = points_.find(run);
  if (found == points_.end()) return last == 0;
  for (const auto& [key, value] : found->second) {
    const auto bound = lineage.superseded_after.find(key.first);
    if (bound != lineage.superseded_after.end() && key.second > bound->second) continue;
    if (key.second < 1 || key.second > last) return false;
    ++seen[static_cast<size_t>(key.second)];
  }
  for (int64_t step = 1; step <= last; ++step) {
    if (seen[static_cast<size_t>(step)] != 1) return false;
  }
  return true;
}

}  // namespace ddl::sim
