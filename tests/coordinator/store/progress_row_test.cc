// Which record moves a run's latest values on.
#include "coordinator/store/progress_row.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("a loss that is no number never becomes the best") {
  ProgressRow row;
  row.Advance(1, Record(1, {{"val_loss", std::numeric_limits<double>::quiet_NaN()}}));
  CHECK(std::isnan(row.progress.best_val_loss));
  row.Advance(1, Record(2, {{"val_loss", 4.0}}));
  row.Advance(1, Record(3, {{"val_loss", std::numeric_limits<double>::quiet_NaN()}}));
  CHECK(std::isnan(row.progress.val_loss));
  CHECK(row.progress.best_val_loss == 4.0);
  row.Advance(1, Record(4, {{"val_loss", 3.0}}));
  CHECK(row.progress.best_val_loss == 3.0);
}

TEST_CASE("an older epoch and an older step change nothing, a newer epoch starts anew") {
  ProgressRow row;
  row.Advance(2, Record(5, {{"train_loss", 2.0}}));
  row.Advance(1, Record(9, {{"train_loss", 9.0}}));
  row.Advance(2, Record(4, {{"train_loss", 9.0}}));
  CHECK(row.progress.step == 5);
  CHECK(row.progress.train_loss == 2.0);
  row.Advance(3, Record(2, {}));
  CHECK(row.progress.step == 2);
  CHECK(row.progress.train_loss == 2.0);  // Until the new attempt records one.
}

}  // namespace
}  // namespace ddl::coordinator
