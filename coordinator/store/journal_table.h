// The journal and its snapshot inside the database: every accepted event in order, each with its
// own checksum, none ever removed, so that a lost snapshot costs time alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/core/store.h"
#include "coordinator/store/sqlite.h"

namespace ddl::coordinator {

class JournalTable {
 public:
  static absl::StatusOr<JournalTable> Open(Database* database);

  // Adds records after `last`, inside the open transaction.
  absl::Status Append(uint64_t last, const std::vector<std::string>& records);
  absl::Status WriteSnapshot(uint64_t seq, const std::string& state);
  absl::StatusOr<uint64_t> LastSeq();

  // Checks the sum and the number of every record, reads the snapshot and the records after it.
  // A damaged last record that no snapshot includes is removed, together with the replies of its
  // transaction; a damaged snapshot is passed over and everything replayed; both add a line to
  // `warnings`. kDataLoss with the place for any other damage.
  absl::StatusOr<Recovery> Recover(std::vector<std::string>* warnings);

 private:
  explicit JournalTable(Database* database) : database_(database) {}
  absl::Status ReadSnapshot(Recovery* recovery, std::vector<std::string>* warnings);
  absl::Status RemoveLast(uint64_t seq);

  Database* database_;
  Statement append_;
};

}  // namespace ddl::coordinator
