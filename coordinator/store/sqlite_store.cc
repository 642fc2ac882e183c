#include "coordinator/store/sqlite_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "coordinator/store/schema.h"

namespace ddl::coordinator {

SqliteStore::SqliteStore(StateFolder folder, std::unique_ptr<Database> writer,
                         const SqliteStoreOptions& o)
    : folder_(std::move(folder)),
      keep_replies_(o.keep_replies),
      writer_(std::move(writer)),
      readers_(folder_.DatabasePath(), o.readers) {}

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const SqliteStoreOptions& options) {
  DDL_ASSIGN_OR_RETURN(StateFolder folder, StateFolder::Hold(options.folder));
  DDL_RETURN_IF_ERROR(folder.CheckHistory(options.bootstrap));
  const std::string path = folder.DatabasePath();
  DDL_ASSIGN_OR_RETURN(std::unique_ptr<Database> writer,
                       Database::Open(path, Database::Role::kWriter));
  if (const absl::Status schema = PrepareSchema(writer.get(), options.bootstrap); !schema.ok()) {
    return Annotate(schema, path);
  }
  std::unique_ptr<SqliteStore> store(
      new SqliteStore(std::move(folder), std::move(writer), options));
  if (const absl::Status ready = store->Prepare(); !ready.ok()) return Annotate(ready, path);
  return store;
}

absl::Status SqliteStore::Prepare() {
  DDL_ASSIGN_OR_RETURN(journal_, JournalTable::Open(writer_.get()));
  DDL_ASSIGN_OR_RETURN(points_, PointTable::Open(writer_.get()));
  DDL_ASSIGN_OR_RETURN(set_cursor_,
                       writer_->Prepare("INSERT OR REPLACE INTO cursor VALUES(?, ?, ?, ?)"));
  DDL_ASSIGN_OR_RETURN(add_reply_,
                       writer_->Prepare("INSERT INTO reply VALUES(?, ?, ?, ?, ?, ?, ?)"));
  DDL_ASSIGN_OR_RETURN(drop_replies_,
                       writer_->Prepare("DELETE FROM reply WHERE rowid IN (SELECT rowid FROM reply "
                                        "WHERE time < ? ORDER BY time LIMIT 2)"));
  DDL_ASSIGN_OR_RETURN(journal_seq_, journal_->LastSeq());
  return absl::OkStatus();
}

absl::Status SqliteStore::Commit(const Transaction& transaction) {
  PointCounts counts;
  if (const absl::Status written = Write(transaction, &counts); !written.ok()) {
    points_->Forget();
    return written;
  }
  journal_seq_ += transaction.events.size();
  MutexLock lock(&counts_mutex_);
  counts_.Add(counts);
  return absl::OkStatus();
}

absl::Status SqliteStore::Write(const Transaction& transaction, PointCounts* counts) {
  DDL_ASSIGN_OR_RETURN(WriteTransaction open, WriteTransaction::Begin(writer_.get()));
  DDL_RETURN_IF_ERROR(journal_->Append(journal_seq_, transaction.events));
  for (const MetricRecords& metrics : transaction.metrics) {
    DDL_RETURN_IF_ERROR(points_->Add(metrics, counts));
  }
  for (const EventCursor& cursor : transaction.cursors) {
    DDL_RETURN_IF_ERROR(set_cursor_.BindText(1, cursor.run)
                            .Bind(2, static_cast<int64_t>(cursor.epoch))
                            .Bind(3, cursor.rank)
                            .Bind(4, static_cast<int64_t>(cursor.seq))
                            .Run());
  }
  for (const StoredReply& reply : transaction.replies) {
    DDL_RETURN_IF_ERROR(WriteReply(reply, journal_seq_ + transaction.events.size()));
  }
  return open.Commit();
}

absl::Status SqliteStore::WriteReply(const StoredReply& reply, uint64_t journal_seq) {
  DDL_RETURN_IF_ERROR(add_reply_.BindText(1, reply.principal)
                          .BindText(2, reply.request_id)
                          .BindText(3, reply.method)
                          .BindText(4, reply.request_sha256)
                          .BindBlob(5, reply.response)
                          .Bind(6, absl::ToUnixMicros(reply.time))
                          .Bind(7, static_cast<int64_t>(journal_seq))
                          .Run());
  // Two old ones for each new one: the table shrinks after a busy week, and no commit is long.
  return drop_replies_.Bind(1, absl::ToUnixMicros(reply.time - keep_replies_)).Run();
}

absl::StatusOr<Recovery> SqliteStore::Recover() {
  absl::StatusOr<Recovery> recovery = journal_->Recover(&warnings_);
  if (!recovery.ok()) return Annotate(recovery.status(), folder_.DatabasePath());
  DDL_ASSIGN_OR_RETURN(journal_seq_, journal_->LastSeq());
  return recovery;
}

absl::Status SqliteStore::WriteSnapshot(uint64_t seq, const std::string& snapshot) {
  return journal_->WriteSnapshot(seq, snapshot);
}

absl::StatusOr<std::optional<StoredReply>> SqliteStore::FindReply(const std::string& principal,
                                                                  const std::string& request_id) {
  std::optional<StoredReply> reply;
  const absl::Status read = readers_.With([&](Database* database) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(
        Statement find,
        database->Prepare("SELECT method, request_sha256, response, time FROM reply "
                          "WHERE principal = ? AND request_id = ?"));
    DDL_ASSIGN_OR_RETURN(const bool found,
                         find.BindText(1, principal).BindText(2, request_id).Step());
    if (!found) return absl::OkStatus();
    reply = {principal,
             request_id,
             std::string(find.Text(0)),
             std::string(find.Text(1)),
             std::string(find.Blob(2)),
             absl::FromUnixMicros(find.Int(3))};
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return reply;
}

absl::StatusOr<uint64_t> SqliteStore::DurableSeq(const std::string& run, uint64_t epoch,
                                                 uint32_t rank) {
  uint64_t seq = 0;
  const absl::Status read = readers_.With([&](Database* database) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(
        Statement find,
        database->Prepare("SELECT seq FROM cursor WHERE run = ? AND epoch = ? AND rank = ?"));
    DDL_ASSIGN_OR_RETURN(
        const bool found,
        find.BindText(1, run).Bind(2, static_cast<int64_t>(epoch)).Bind(3, rank).Step());
    if (found) seq = static_cast<uint64_t>(find.Int(0));
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return seq;
}

absl::StatusOr<std::vector<std::string>> SqliteStore::SeriesNames(const std::string& run) {
  std::vector<std::string> names;
  const absl::Status read = readers_.With([&](Database* database) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(names, SeriesNamesOf(database, run));
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return names;
}

absl::Status SqliteStore::ReadSeries(const std::string& run, const std::string& series,
                                     const Lineage& lineage,
                                     const std::function<bool(const v1::SeriesChunk&)>& take) {
  v1::SeriesChunk chunk;
  chunk.set_run(run);
  chunk.set_name(series);
  PagePosition position;
  std::vector<PointRow> page;
  for (bool more = true; more;) {
    // A connection is held for one page, not while `take` sends it: a slow client must not keep
    // the write-ahead log from being checkpointed.
    DDL_RETURN_IF_ERROR(readers_.With([&](Database* database) -> absl::Status {
      DDL_ASSIGN_OR_RETURN(page, ReadPage(database, run, series, &position));
      return absl::OkStatus();
    }));
    more = page.size() == kPageRows;
    for (const PointRow& row : page) AppendOfLineage(row, lineage, &chunk);
    // The last point stays behind until it is known that no later attempt has its step too.
    v1::SeriesChunk rest = chunk;
    if (more && chunk.points_size() > 0) {
      rest.mutable_points()->DeleteSubrange(0, chunk.points_size() - 1);
      chunk.mutable_points()->RemoveLast();
    }
    if (chunk.points_size() > 0 && !take(chunk)) return absl::OkStatus();
    chunk = std::move(rest);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, RunProgress>> SqliteStore::Progress(
    const std::vector<std::string>& runs) {
  std::map<std::string, RunProgress> progress;
  const absl::Status read = readers_.With([&](Database* database) -> absl::Status {
    DDL_ASSIGN_OR_RETURN(progress, ProgressOf(database, runs));
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return progress;
}

PointCounts SqliteStore::point_counts() const {
  MutexLock lock(&counts_mutex_);
  return counts_;
}

}  // namespace ddl::coordinator
