#include "coordinator/store/journal_table.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/status.h"

namespace ddl::coordinator {
namespace {

// Covers the number too, so that two records cannot change places unnoticed.
int64_t ChecksumOf(uint64_t seq, absl::string_view record) {
  return Crc32c(absl::StrCat(seq, ":", Crc32c(record)));
}

}  // namespace

absl::StatusOr<JournalTable> JournalTable::Open(Database* database) {
  JournalTable table(database);
  DDL_ASSIGN_OR_RETURN(table.append_, database->Prepare("INSERT INTO journal VALUES(?, ?, ?)"));
  return table;
}

absl::Status JournalTable::Append(uint64_t last, const std::vector<std::string>& records) {
  for (const std::string& record : records) {
    ++last;
    DDL_RETURN_IF_ERROR(append_.Bind(1, static_cast<int64_t>(last))
                            .Bind(2, ChecksumOf(last, record))
                            .BindBlob(3, record)
                            .Run());
  }
  return absl::OkStatus();
}

absl::Status JournalTable::WriteSnapshot(uint64_t seq, const std::string& state) {
  DDL_ASSIGN_OR_RETURN(WriteTransaction transaction, WriteTransaction::Begin(database_));
  DDL_RETURN_IF_ERROR(database_->Execute("DELETE FROM snapshot"));
  DDL_ASSIGN_OR_RETURN(Statement insert,
                       database_->Prepare("INSERT INTO snapshot VALUES(?, ?, ?)"));
  DDL_RETURN_IF_ERROR(insert.Bind(1, static_cast<int64_t>(seq))
                          .Bind(2, ChecksumOf(seq, state))
                          .BindBlob(3, state)
                          .Run());
  return transaction.Commit();
}

absl::StatusOr<uint64_t> JournalTable::LastSeq() {
  DDL_ASSIGN_OR_RETURN(const int64_t last, database_->Number("SELECT max(seq) FROM journal"));
  return static_cast<uint64_t>(last);
}

absl::Status JournalTable::ReadSnapshot(Recovery* recovery, std::vector<std::string>* warnings) {
  DDL_ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT seq, crc, state FROM snapshot ORDER BY seq DESC LIMIT 1"));
  DDL_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::OkStatus();
  const auto seq = static_cast<uint64_t>(select.Int(0));
  if (select.Int(1) != ChecksumOf(seq, select.Blob(2))) {
    warnings->push_back(absl::StrCat("the snapshot at journal record ", seq,
                                     " has a wrong checksum: replaying ",
                                     "the whole journal instead"));
    return absl::OkStatus();
  }
  recovery->snapshot_seq = seq;
  recovery->snapshot = std::string(select.Blob(2));
  return absl::OkStatus();
}

absl::Status JournalTable::RemoveLast(uint64_t seq) {
  DDL_ASSIGN_OR_RETURN(WriteTransaction transaction, WriteTransaction::Begin(database_));
  DDL_RETURN_IF_ERROR(database_->Execute(absl::StrCat(
      "DELETE FROM journal WHERE seq = ", seq, "; DELETE FROM reply WHERE journal_seq >= ", seq)));
  return transaction.Commit();
}

absl::StatusOr<Recovery> JournalTable::Recover(std::vector<std::string>* warnings) {
  Recovery recovery;
  DDL_RETURN_IF_ERROR(ReadSnapshot(&recovery, warnings));
  DDL_ASSIGN_OR_RETURN(const uint64_t last, LastSeq());
  const auto place = [last](uint64_t seq) {
    return absl::StrCat("journal record ", seq, " of ", last);
  };
  DDL_ASSIGN_OR_RETURN(Statement select,
                       database_->Prepare("SELECT seq, crc, record FROM journal ORDER BY seq"));
  uint64_t expected = 1;
  bool damaged_last = false;
  for (;; ++expected) {
    DDL_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) break;
    const auto seq = static_cast<uint64_t>(select.Int(0));
    if (seq != expected) return absl::DataLossError(place(expected) + " is missing");
    if (select.Int(1) != ChecksumOf(seq, select.Blob(2))) {
      damaged_last = seq == last && seq > recovery.snapshot_seq;
      if (!damaged_last) return absl::DataLossError(place(seq) + " has a wrong checksum");
      break;
    }
    if (seq > recovery.snapshot_seq) recovery.events.emplace_back(select.Blob(2));
  }
  select.Reset();
  if (damaged_last) {
    warnings->push_back(place(last) + ", the last one, has a wrong checksum: dropped");
    DDL_RETURN_IF_ERROR(RemoveLast(last));
  } else if (recovery.snapshot_seq >= expected) {
    return absl::DataLossError(absl::StrCat("the snapshot includes journal record ",
                                            recovery.snapshot_seq, ", but only ", last,
                                            " records are there"));
  }
  return recovery;
}

}  // namespace ddl::coordinator
