// A row of the table `progress`: the latest values of one run, so that no start and no listing has
// to read points.
#pragma once

#include <cstdint>

#include "coordinator/core/store.h"
#include "coordinator/store/sqlite.h"

namespace ddl::coordinator {

struct ProgressRow {
  static constexpr absl::string_view kFind =
      "SELECT epoch, step, tokens, flops, active_seconds, train_loss, val_loss, best_val_loss "
      "FROM progress WHERE run = ?";
  static constexpr absl::string_view kSet =
      "INSERT OR REPLACE INTO progress VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";

  uint64_t epoch = 0;
  RunProgress progress;

  ProgressRow();
  static ProgressRow Read(const Statement& found);  // Columns of kFind.
  Statement& Bind(Statement& set) const;            // Values of kSet from the second on.

  // Takes over the values of a record unless it is older than the present ones, by epoch and then
  // by step. A new epoch starts at the step it resumed from, which may be a smaller one; the best
  // validation loss only falls.
  void Advance(uint64_t record_epoch, const v1::StepRecord& record);
};

}  // namespace ddl::coordinator
