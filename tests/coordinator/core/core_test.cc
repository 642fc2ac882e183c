#include "coordinator/core/core.h"

#include <iostream>
#include <random>

#include "tests/coordinator/core/ledger.h"

namespace ddl::coordinator {
namespace {

class Player {
 public:
  explicit Player(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) ledger_.Worker(absl::StrCat("w", i), 2);
  }
  Ledger& ledger() { return ledger_; }

  // Tries one random fact; most of them break a rule, and those must change nothing.
  void Play() {
    const std::string before = ledger_.core.Snapshot();
    if (!Try().ok()) CHECK(ledger_.core.Snapshot() == before);
    if (Below(3) == 0) ledger_.Settle();
    if (Below(6) == 0) ledger_.now += absl::Seconds(Below(90));
  }

 private:
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_()) % limit; }

  absl::Status Try() {
    const std::string run = absl::StrCat("aaaa00", 10 + Below(8));
    const uint64_t epoch = Below(6);
    const uint32_t rank = Below(3);
    const std::string worker = absl::StrCat("w", Below(3));
    switch (Below(14)) {
      case 0:
        if (ledger_.core.state().runs.count(run) == 0) ledger_.Run(run, Ledger::Spec(1 + Below(3)));
        return absl::OkStatus();
      case 1: return ledger_.Cancel(run);
      case 2: return ledger_.Pause(run);
      case 3: return ledger_.Resume(run);
      case 4: return ledger_.Started(run, epoch, rank, Below(4));
      case 5: return ledger_.Exited(run, epoch, rank, static_cast<v1::ExitClass>(1 + Below(6)));
      case 6:
      case 7:
      case 8: return ledger_.Observe(run, epoch, rank, static_cast<v1::RankState>(1 + Below(3)));
      case 9: return ledger_.Commit(run, epoch, 1 + Below(9));
      case 10: return ledger_.WorkerState(worker, static_cast<v1::WorkerState>(1 + Below(3)));
      case 11: return ledger_.Term();
      case 12:
        ledger_.Worker(worker, 2, absl::StrCat("b", Below(2)), absl::StrCat("s", Below(3)));
        return absl::OkStatus();
      default: ledger_.Report(worker); return absl::OkStatus();
    }
  }

  std::mt19937 random_;
  Ledger ledger_;
};

TEST_CASE("Replaying the journal of any sequence of facts gives the same hash") {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  for (uint32_t game = 0; game < 40; ++game) {
    Player player(seed + game);
    for (int i = 0; i < 150; ++i) player.Play();
    Core replayed;
    for (const v1::Event& event : player.ledger().journal) REQUIRE(replayed.Apply(event).ok());
    INFO("seed " << seed << " game " << game);
    CHECK(replayed.Hash() == player.ledger().core.Hash());
  }
}

TEST_CASE("A snapshot in the midst of a journal changes nothing that comes after") {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  Player player(seed);
  for (int i = 0; i < 200; ++i) player.Play();
  const std::vector<v1::Event>& journal = player.ledger().journal;
  Core core;
  for (size_t i = 0; i < journal.size(); ++i) {
    REQUIRE(core.Apply(journal[i]).ok());
    if (i % 37 != 0) continue;
    absl::StatusOr<Core> restored = Core::Restore(core.Snapshot());
    REQUIRE(restored.ok());
    CHECK(restored->state().live_runs == core.state().live_runs);
    CHECK(restored->state().live_experiments == core.state().live_experiments);
    core = *std::move(restored);
  }
  INFO("seed " << seed);
  CHECK(core.Hash() == player.ledger().core.Hash());
}

TEST_CASE("An event of another term or without a fact is refused") {
  Ledger ledger;
  v1::Event event;
  event.set_term(1);
  CHECK(absl::IsInvalidArgument(ledger.core.Apply(event).status()));
  event.mutable_run_canceled()->set_run(kRun);
  event.set_term(2);
  CHECK(absl::IsAborted(ledger.core.Apply(event).status()));
  event.set_term(0);
  CHECK(absl::IsAborted(ledger.core.Apply(event).status()));
}

}  // namespace
}  // namespace ddl::coordinator
