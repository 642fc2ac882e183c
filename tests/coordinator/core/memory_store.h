// A Store in memory, for tests of the sequencer: what is committed stays, a full disk takes
// nothing.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinator/core/store.h"

namespace ddl::coordinator {

class MemoryStore : public Store {
 public:
  absl::Status Commit(const Transaction& transaction) override {
    if (full) return absl::ResourceExhaustedError("no space left on device");
    ++commits;
    for (const std::string& event : transaction.events) journal.push_back(event);
    for (const MetricRecords& records : transaction.metrics) metrics.push_back(records);
    for (const EventCursor& cursor : transaction.cursors) {
      cursors[{cursor.run, cursor.epoch, cursor.rank}] = cursor.seq;
    }
    for (const StoredReply& reply : transaction.replies) {
      replies[{reply.principal, reply.request_id}] = reply;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<Recovery> Recover() override {
    Recovery recovery{snapshot_seq, snapshot, {}};
    recovery.events.assign(journal.begin() + static_cast<std::ptrdiff_t>(snapshot_seq),
                           journal.end());
    return recovery;
  }
  absl::Status WriteSnapshot(uint64_t seq, const std::string& bytes) override {
    snapshot_seq = seq;
    snapshot = bytes;
    return absl::OkStatus();
  }
  uint64_t JournalSeq() const override { return journal.size(); }
  absl::StatusOr<std::optional<StoredReply>> FindReply(const std::string& principal,
                                                       const std::string& request_id) override {
    const auto found = replies.find({principal, request_id});
    if (found == replies.end()) return std::optional<StoredReply>();
    return std::optional<StoredReply>(found->second);
  }
  absl::StatusOr<uint64_t> DurableSeq(const std::string& run, uint64_t epoch,
                                      uint32_t rank) override {
    const auto found = cursors.find({run, epoch, rank});
    return found == cursors.end() ? uint64_t{0} : found->second;
  }
  absl::StatusOr<std::vector<std::string>> SeriesNames(const std::string& /*run*/) override {
    return std::vector<std::string>();
  }
  absl::Status ReadSeries(const std::string& /*run*/, const std::string& /*series*/,
                          const Lineage& /*lineage*/,
                          const std::function<bool(const v1::SeriesChunk&)>& /*take*/) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::map<std::string, RunProgress>> Progress(
      const std::vector<std::string>& /*runs*/) override {
    return std::map<std::string, RunProgress>();
  }

  bool full = false;
  int commits = 0;
  std::vector<std::string> journal;
  std::vector<MetricRecords> metrics;
  std::map<std::tuple<std::string, uint64_t, uint32_t>, uint64_t> cursors;
  std::map<std::pair<std::string, std::string>, StoredReply> replies;
  uint64_t snapshot_seq = 0;
  std::string snapshot;
};

}  // namespace ddl::coordinator
