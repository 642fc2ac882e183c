#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("A snapshot restores to an equal state") {
  Ledger ledger;
  ledger.Worker("w1", 2);
  ledger.Run(kRun, Ledger::Spec(1));
  ledger.Settle();
  ledger.Run(kOther, Ledger::Spec(2));
  absl::StatusOr<Core> restored = Core::Restore(ledger.core.Snapshot());
  REQUIRE(restored.ok());
  CHECK(restored->Hash() == ledger.core.Hash());
  CHECK(restored->Hash().size() == 64);
  CHECK(restored->state().live_runs == ledger.core.state().live_runs);
  CHECK(restored->state().version == ledger.core.state().version);
}

TEST_CASE("The hash follows every change") {
  Ledger ledger;
  const std::string before = ledger.core.Hash();
  ledger.Run(kRun, Ledger::Spec(1));
  CHECK(ledger.core.Hash() != before);
}

TEST_CASE("Bytes that are no snapshot of a known format are refused") {
  CHECK(absl::IsDataLoss(Core::Restore("nonsense").status()));
  v1::Snapshot snapshot;
  snapshot.set_format_version(2);
  CHECK(absl::IsDataLoss(Core::Restore(snapshot.SerializeAsString()).status()));
}

}  // namespace
}  // namespace ddl::coordinator
