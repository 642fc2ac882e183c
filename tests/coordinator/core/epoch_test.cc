#include "coordinator/core/epoch.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("Only the newest attempt of a run may write") {
  Ledger ledger;
  ledger.Worker("w1", 1);
  ledger.Run(kRun, Ledger::Spec(1));
  CHECK(absl::IsFailedPrecondition(CheckEpoch(ledger.core.state(), kRun, 1)));
  ledger.Settle();
  CHECK(CheckEpoch(ledger.core.state(), kRun, 1).ok());
  CHECK(absl::IsAborted(CheckEpoch(ledger.core.state(), kRun, 0)));
  CHECK(absl::IsFailedPrecondition(CheckEpoch(ledger.core.state(), kRun, 2)));
  CHECK(absl::IsNotFound(CheckEpoch(ledger.core.state(), kOther, 1)));
}

}  // namespace
}  // namespace ddl::coordinator
