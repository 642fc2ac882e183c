#include "coordinator/store/progress_row.h"

#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "common/series.h"

namespace ddl::coordinator {

ProgressRow::ProgressRow() {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  progress.train_loss = progress.val_loss = progress.best_val_loss = kNone;
}

ProgressRow ProgressRow::Read(const Statement& found) {
  const auto real = [&](int column) { return std::bit_cast<double>(found.Int(column)); };
  ProgressRow row;
  row.epoch = static_cast<uint64_t>(found.Int(0));
  row.progress = {found.Int(1), found.Int(2), real(3), real(4), real(5), real(6), real(7)};
  return row;
}

Statement& ProgressRow::Bind(Statement& set) const {
  const auto real = [&](int index, double value) {
    set.Bind(index, std::bit_cast<int64_t>(value));
  };
  set.Bind(2, static_cast<int64_t>(epoch)).Bind(3, progress.step).Bind(4, progress.tokens);
  real(5, progress.flops);
  real(6, progress.active_seconds);
  real(7, progress.train_loss);
  real(8, progress.val_loss);
  real(9, progress.best_val_loss);
  return set;
}

void ProgressRow::Advance(uint64_t record_epoch, const v1::StepRecord& record) {
  if (std::tuple(record_epoch, record.step()) < std::tuple(epoch, progress.step)) return;
  epoch = record_epoch;
  progress.step = record.step();
  progress.tokens = record.tokens();
  progress.flops = record.flops();
  progress.active_seconds = record.active_seconds();
  for (const v1::Sample& sample : record.samples()) {
    if (sample.name() == series::kTrainLoss) progress.train_loss = sample.value();
    if (sample.name() != series::kValLoss) continue;
    progress.val_loss = sample.value();
    if (std::isnan(sample.value()) || progress.best_val_loss <= sample.value()) continue;
    progress.best_val_loss = sample.value();
  }
}

}  // namespace ddl::coordinator
