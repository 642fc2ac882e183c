#include "coordinator/core/selector.h"

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

Ledger Three() {
  Ledger ledger;
  v1::ExperimentSpec spec = Ledger::Spec(1);
  spec.set_seed(1);
  spec.set_name("alpha");
  ledger.Run("aaaa0001", spec);
  spec.set_seed(2);
  spec.set_name("beta");
  ledger.Run("aaaa1002", spec);
  spec.set_seed(3);
  ledger.Run("bbbb0003", spec);
  return ledger;
}

v1::RunSelector Named(const std::string& word) {
  v1::RunSelector selector;
  selector.add_runs(word);
  return selector;
}

using Ids = std::vector<std::string>;

TEST_CASE("An empty selector is all runs, oldest first") {
  const Ledger ledger = Three();
  CHECK(SelectRuns(ledger.core.state(), {})->runs == Ids{"aaaa0001", "aaaa1002", "bbbb0003"});
}

TEST_CASE("A run is named by id, unique prefix, name or @last") {
  const Ledger ledger = Three();
  const State& state = ledger.core.state();
  CHECK(*ResolveRun(state, "aaaa1002") == "aaaa1002");
  CHECK(*ResolveRun(state, "bb") == "bbbb0003");
  CHECK(*ResolveRun(state, "alpha") == "aaaa0001");
  CHECK(*ResolveRun(state, "beta") == "bbbb0003");  // The newest of that name.
  CHECK(*ResolveRun(state, "@last") == "bbbb0003");
}

TEST_CASE("An ambiguous prefix is invalid and an unknown name not found, with the nearest") {
  const Ledger ledger = Three();
  const State& state = ledger.core.state();
  const absl::Status ambiguous = ResolveRun(state, "aaaa").status();
  CHECK(absl::IsInvalidArgument(ambiguous));
  CHECK(std::string(ambiguous.message()).find("aaaa1002") != std::string::npos);
  const absl::Status unknown = ResolveRun(state, "alpho").status();
  CHECK(absl::IsNotFound(unknown));
  CHECK(std::string(unknown.message()).find("\"alpha\"") != std::string::npos);
}

TEST_CASE("Labels restrict, and a residual's kind means every value of its channels") {
  const Ledger ledger = Three();
  v1::RunSelector selector;
  (*selector.mutable_labels())["residual"] = "ddl";
  (*selector.mutable_not_labels())["seed"] = "2";
  CHECK(SelectRuns(ledger.core.state(), selector)->runs == Ids{"aaaa0001", "bbbb0003"});
  (*selector.mutable_labels())["residual"] = "ddl/1";
  CHECK(SelectRuns(ledger.core.state(), selector)->runs.empty());
  (*selector.mutable_labels())["sede"] = "1";
  CHECK(absl::IsInvalidArgument(SelectRuns(ledger.core.state(), selector).status()));
}

TEST_CASE("An experiment stands for its runs, and is remembered as a whole") {
  const Ledger ledger = Three();
  const Selection selection = *SelectRuns(ledger.core.state(), Named("xbbb0003"));
  CHECK(selection.runs == Ids{"bbbb0003"});
  CHECK(selection.experiments == Ids{"xbbb0003"});
  CHECK(selection.named.empty());
  CHECK(SelectRuns(ledger.core.state(), Named("bbbb0003"))->named.size() == 1);
}

}  // namespace
}  // namespace ddl::coordinator
