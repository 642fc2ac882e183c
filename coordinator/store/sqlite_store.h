// The durable store of the coordinator: one SQLite database in the state folder, write-ahead log,
// flushed at each commit.
//
// One connection writes and checkpoints, used by the thread that commits; reads have connections of
// their own. The state folder stays locked as long as the store lives.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/store.h"
#include "coordinator/store/journal_table.h"
#include "coordinator/store/points.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/state_folder.h"

namespace ddl::coordinator {

struct SqliteStoreOptions {
  std::string folder;
  bool bootstrap = false;  // Fill an empty folder; without it an empty folder is refused.
  int readers = 4;         // Connections for reads.
  absl::Duration keep_replies = absl::Hours(7 * 24);
};

class SqliteStore final : public Store {
 public:
  // kAlreadyExists: the folder is held by another process, which is named. kFailedPrecondition:
  // a rule forbids the start (amnesia, newer schema, network file system). kDataLoss: damage.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const SqliteStoreOptions& options);

  absl::Status Commit(const Transaction& transaction) override;
  absl::StatusOr<Recovery> Recover() override;
  absl::Status WriteSnapshot(uint64_t seq, const std::string& snapshot) override;
  uint64_t JournalSeq() const override { return journal_seq_; }
  absl::StatusOr<std::optional<StoredReply>> FindReply(const std::string& principal,
                                                       const std::string& request_id) override;
  absl::StatusOr<uint64_t> DurableSeq(const std::string& run, uint64_t epoch,
                                      uint32_t rank) override;
  absl::StatusOr<std::vector<std::string>> SeriesNames(const std::string& run) override;
  absl::Status ReadSeries(const std::string& run, const std::string& series, const Lineage& lineage,
                          const std::function<bool(const v1::SeriesChunk&)>& take) override;
  absl::StatusOr<std::map<std::string, RunProgress>> Progress(
      const std::vector<std::string>& runs) override;

  // Since this process began.
  PointCounts point_counts() const;
  // What Recover found and repaired.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  SqliteStore(StateFolder folder, std::unique_ptr<Database> writer, const SqliteStoreOptions& o);
  absl::Status Prepare();
  absl::Status Write(const Transaction& transaction, PointCounts* counts);
  absl::Status WriteReply(const StoredReply& reply, uint64_t journal_seq);

  StateFolder folder_;  // First, so that the lock goes last.
  const absl::Duration keep_replies_;
  std::unique_ptr<Database> writer_;
  std::optional<JournalTable> journal_;
  std::optional<PointTable> points_;
  Statement set_cursor_;
  Statement add_reply_;
  Statement drop_replies_;
  std::atomic<uint64_t> journal_seq_ = 0;
  std::vector<std::string> warnings_;
  mutable Mutex counts_mutex_;
  PointCounts counts_ ABSL_GUARDED_BY(counts_mutex_);
  ReaderPool readers_;
};

}  // namespace ddl::coordinator
