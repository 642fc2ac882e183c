#include "worker/agent/outbox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"

namespace ddl::agent {
namespace {

// As REQUIRE, without its cost in loops over thousands of events.
#define MUST(condition)                 \
  do {                                  \
    if (!(condition)) FAIL(#condition); \
  } while (false)

const RankKey kRank{{"k3v9x2mq", 2}, 0};

// Spools in memory; a rank appends to them.
class MemorySpools : public SpoolSource {
 public:
  absl::StatusOr<std::vector<v1::RankEvent>> Read(const RankKey& rank, uint64_t after_seq,
                                                  const ReadLimits& limits) override {
    std::vector<v1::RankEvent> events;
    int64_t bytes = 0;
    for (const v1::RankEvent& event : spools[rank]) {
      if (event.seq() <= after_seq) continue;
      bytes += static_cast<int64_t>(event.ByteSizeLong());
      if (!events.empty() && bytes > limits.bytes) break;
      if (static_cast<int>(events.size()) == limits.events) break;
      events.push_back(event);
    }
    if (events.empty() && damaged.contains(rank)) return absl::DataLossError("damaged");
    return events;
  }
  v1::RankEvent& Append(const RankKey& rank) {
    v1::RankEvent& event = spools[rank].emplace_back();
    event.set_seq(spools[rank].size());
    return event;
  }
  void AppendStep(const RankKey& rank, int64_t step) {
    v1::StepRecord* record = Append(rank).mutable_step();
    record->set_step(step);
    record->add_samples()->set_name("train_loss");
  }
  void AppendCheckpoint(const RankKey& rank, int64_t step) {
    Append(rank).mutable_checkpoint_prepared()->set_step(step);
  }

  std::map<RankKey, std::deque<v1::RankEvent>> spools;
  std::set<RankKey> damaged;
};

// What the coordinator promises, written down: events of a rank are applied in order, each once.
struct ModelCoordinator {
  v1::ReportEventsResponse Report(const v1::ReportEventsRequest& request) {
    const RankKey rank{{request.run(), request.epoch()}, request.rank()};
    MUST(request.events_size() <= 1000);
    MUST(request.ByteSizeLong() < size_t{4} << 20);
    std::vector<v1::RankEvent>& log = applied[rank];
    for (const v1::RankEvent& event : request.events()) {
      if (event.seq() <= log.size()) continue;
      MUST(event.seq() == log.size() + 1);  // No gap.
      if (!log.empty()) MUST(!log.back().has_exited());
      if (event.has_checkpoint_prepared()) {
        MUST(commits[rank].contains(event.checkpoint_prepared().step()));
      }
      log.push_back(event);
    }
    v1::ReportEventsResponse response;
    response.set_durable_seq(log.size());
    return response;
  }
  void Commit(const v1::CommitCheckpointRequest& request) {
    const RankKey rank{{request.run(), request.epoch()}, 0};
    // What came before the checkpoint is there already.
    const int64_t step = request.checkpoint().step();
    int64_t last = 0;
    for (const v1::RankEvent& event : applied[rank]) last = std::max(last, event.step().step());
    MUST(last >= step);
    commits[rank].insert(step);
  }

  std::map<RankKey, std::vector<v1::RankEvent>> applied;
  std::map<RankKey, std::set<int64_t>> commits;
};

v1::RankExited Killed() {
  v1::RankExited exit;
  exit.set_class_(v1::EXIT_CLASS_INFRASTRUCTURE);
  return exit;
}

void ObserveAll(Outbox* outbox, const RankKey& rank) {
  while (true) {
    const absl::StatusOr<bool> more = outbox->Observe(rank);
    if (!more.ok() || !*more) return;
  }
}

// Makes the calls of `outbox` until it has none, over a network without faults.
void Deliver(Outbox* outbox, ModelCoordinator* coordinator) {
  while (std::optional<OutboxCall> call = outbox->Next()) {
    if (const auto* report = std::get_if<v1::ReportEventsRequest>(&call->request)) {
      outbox->OnReport(call->rank, absl::OkStatus(), coordinator->Report(*report));
    } else {
      coordinator->Commit(std::get<v1::CommitCheckpointRequest>(call->request));
      outbox->OnCommit(call->rank, absl::OkStatus());
    }
  }
}

}  // namespace

TEST_CASE("Loss, repetition and restarts leave every event applied once and in order") {
  const uint64_t seed = GENERATE(range(1, 16));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto chance = [&random](int percent) { return static_cast<int>(random() % 100) < percent; };
  const std::vector<RankKey> ranks = {kRank, {{"k3v9x2mq", 2}, 1}, {{"aaaaaaaa", 1}, 0}};
  MemorySpools spools;
  ModelCoordinator coordinator;
  std::map<RankKey, int64_t> steps;
  std::map<RankKey, bool> with_exit;
  std::set<RankKey> over;
  auto outbox = std::make_unique<Outbox>("w", "s0", &spools);
  const auto restart = [&](int number) {
    outbox = std::make_unique<Outbox>("w", absl::StrCat("s", number), &spools);
    for (const RankKey& rank : ranks) {
      outbox->Add(rank);
      if (over.contains(rank)) outbox->End(rank, Killed(), absl::UnixEpoch());
    }
  };
  restart(0);
  for (int turn = 0; turn < 600; ++turn) {
    const RankKey& rank = ranks[random() % ranks.size()];
    if (!over.contains(rank)) {
      const int burst = chance(3) ? 1500 : static_cast<int>(random() % 5);
      for (int i = 0; i < burst; ++i) spools.AppendStep(rank, ++steps[rank]);
      if (chance(5)) spools.Append(rank).mutable_notice()->set_message(std::string(700'000, 'x'));
      if (rank.rank == 0 && chance(20)) spools.AppendCheckpoint(rank, steps[rank]);
      if (chance(1)) {
        with_exit[rank] = chance(50);
        if (with_exit[rank]) spools.Append(rank).mutable_exited();
        over.insert(rank);
        outbox->End(rank, Killed(), absl::UnixEpoch());
      }
    }
    if (chance(2)) restart(turn);
    for (const RankKey& observed : ranks) {
      REQUIRE(outbox->Observe(observed).ok());
    }
    std::optional<OutboxCall> call = outbox->Next();
    if (!call) continue;
    const bool arrives = chance(80);
    const bool answered = arrives && chance(80);
    const int copies = chance(20) ? 2 : 1;
    const absl::Status status = answered ? absl::OkStatus() : absl::DeadlineExceededError("lost");
    if (const auto* report = std::get_if<v1::ReportEventsRequest>(&call->request)) {
      v1::ReportEventsResponse response;
      for (int i = 0; arrives && i < copies; ++i) response = coordinator.Report(*report);
      outbox->OnReport(call->rank, status, response);
    } else {
      const auto& commit = std::get<v1::CommitCheckpointRequest>(call->request);
      for (int i = 0; arrives && i < copies; ++i) coordinator.Commit(commit);
      outbox->OnCommit(call->rank, status);
    }
  }
  for (const RankKey& rank : ranks) {
    if (over.insert(rank).second) outbox->End(rank, Killed(), absl::UnixEpoch());
    ObserveAll(outbox.get(), rank);
  }
  Deliver(outbox.get(), &coordinator);
  CHECK(outbox->idle());
  for (const RankKey& rank : ranks) {
    const std::vector<v1::RankEvent>& applied = coordinator.applied[rank];
    const size_t spooled = spools.spools[rank].size();
    REQUIRE(applied.size() == spooled + (with_exit[rank] ? 0 : 1));
    CHECK(applied.back().has_exited());
    for (size_t i = 0; i < spooled; ++i) {
      MUST(applied[i].SerializeAsString() == spools.spools[rank][i].SerializeAsString());
    }
  }
}

TEST_CASE("A checkpoint is committed behind the steps before it and ahead of the exit") {
  MemorySpools spools;
  ModelCoordinator coordinator;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  spools.AppendStep(kRank, 1);
  spools.AppendCheckpoint(kRank, 1);
  spools.Append(kRank).mutable_exited();
  ObserveAll(&outbox, kRank);

  std::optional<OutboxCall> steps = outbox.Next();
  REQUIRE(steps);
  CHECK(std::get<v1::ReportEventsRequest>(steps->request).events_size() == 1);
  CHECK_FALSE(outbox.Next());  // One call of a rank at a time.
  outbox.OnReport(kRank, absl::OkStatus(),
                  coordinator.Report(std::get<v1::ReportEventsRequest>(steps->request)));
  std::optional<OutboxCall> commit = outbox.Next();
  REQUIRE(commit);
  REQUIRE(std::holds_alternative<v1::CommitCheckpointRequest>(commit->request));
  outbox.OnCommit(kRank, absl::UnavailableError("down"));
  std::optional<OutboxCall> again = outbox.Next();
  REQUIRE(again);
  CHECK(std::get<v1::CommitCheckpointRequest>(again->request).request_id() ==
        std::get<v1::CommitCheckpointRequest>(commit->request).request_id());
  outbox.OnCommit(kRank, absl::OkStatus());
  std::optional<OutboxCall> rest = outbox.Next();
  REQUIRE(rest);
  CHECK(std::get<v1::ReportEventsRequest>(rest->request).events_size() == 2);
}

TEST_CASE("A refused checkpoint does not hold up what follows it") {
  MemorySpools spools;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  spools.AppendCheckpoint(kRank, 1);
  spools.AppendStep(kRank, 2);
  ObserveAll(&outbox, kRank);
  REQUIRE(outbox.Next());
  outbox.OnCommit(kRank, absl::InvalidArgumentError("no such manifest"));
  const std::optional<OutboxCall> next = outbox.Next();
  REQUIRE(next);
  CHECK(std::get<v1::ReportEventsRequest>(next->request).events_size() == 2);
}

TEST_CASE("A fenced attempt sends nothing more and its points are counted") {
  MemorySpools spools;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  for (int64_t step = 1; step <= 5; ++step) spools.AppendStep(kRank, step);
  ObserveAll(&outbox, kRank);
  REQUIRE(outbox.Next());
  outbox.OnReport(kRank, absl::AbortedError("epoch 3 is current"), {});
  spools.AppendStep(kRank, 6);
  ObserveAll(&outbox, kRank);
  CHECK_FALSE(outbox.Next());
  CHECK(outbox.dropped_points() == 6);
  CHECK(outbox.position(kRank).fenced);
}

TEST_CASE("A coordinator that lost events gets them again, checkpoints included") {
  MemorySpools spools;
  ModelCoordinator coordinator;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  for (int64_t step = 1; step <= 4; ++step) {
    spools.AppendStep(kRank, step);
    spools.AppendCheckpoint(kRank, step);
  }
  ObserveAll(&outbox, kRank);
  Deliver(&outbox, &coordinator);
  coordinator.applied[kRank].resize(2);
  coordinator.commits[kRank] = {1};
  spools.AppendStep(kRank, 5);
  ObserveAll(&outbox, kRank);
  std::optional<OutboxCall> call = outbox.Next();
  REQUIRE(call);
  v1::ReportEventsResponse response;
  response.set_durable_seq(2);
  outbox.OnReport(kRank, absl::OkStatus(), response);
  Deliver(&outbox, &coordinator);
  CHECK(coordinator.applied[kRank].size() == 9);
  CHECK(coordinator.commits[kRank] == std::set<int64_t>{1, 2, 3, 4});
}

TEST_CASE(
    "A coordinator restored from a backup gets what it lost, of ranks that ended long ago too") {
  MemorySpools spools;
  ModelCoordinator coordinator;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  for (int64_t step = 1; step <= 4; ++step) {
    spools.AppendStep(kRank, step);
    spools.AppendCheckpoint(kRank, step);
  }
  spools.Append(kRank).mutable_exited();
  ObserveAll(&outbox, kRank);
  outbox.End(kRank, {}, absl::UnixEpoch());
  ObserveAll(&outbox, kRank);
  Deliver(&outbox, &coordinator);
  REQUIRE(outbox.idle());
  coordinator.applied[kRank].resize(3);
  coordinator.commits[kRank] = {1};
  REQUIRE_FALSE(outbox.Next());  // Nothing else would tell.
  outbox.AskAgain();
  CHECK_FALSE(outbox.idle());
  Deliver(&outbox, &coordinator);
  CHECK(coordinator.applied[kRank].size() == 9);
  CHECK(coordinator.commits[kRank] == std::set<int64_t>{1, 2, 3, 4});
  CHECK(outbox.idle());
}

TEST_CASE("The question is asked again when its answer was to an older call, or was lost") {
  MemorySpools spools;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  for (int64_t step = 1; step <= 2; ++step) spools.AppendStep(kRank, step);
  ObserveAll(&outbox, kRank);
  REQUIRE(outbox.Next());
  v1::ReportEventsResponse two;
  two.set_durable_seq(2);
  outbox.OnReport(kRank, absl::OkStatus(), two);
  spools.AppendStep(kRank, 3);
  ObserveAll(&outbox, kRank);
  REQUIRE(outbox.Next());  // Of the coordinator before.
  outbox.AskAgain();
  v1::ReportEventsResponse three;
  three.set_durable_seq(3);
  outbox.OnReport(kRank, absl::OkStatus(), three);
  for (const absl::Status& answer : {absl::UnavailableError("lost"), absl::OkStatus()}) {
    const std::optional<OutboxCall> question = outbox.Next();
    REQUIRE(question);
    CHECK(std::get<v1::ReportEventsRequest>(question->request).events().empty());
    outbox.OnReport(kRank, answer, three);
  }
  CHECK_FALSE(outbox.Next());
}

TEST_CASE("A coordinator that sees a gap is asked from the first event on") {
  MemorySpools spools;
  ModelCoordinator coordinator;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  for (int64_t step = 1; step <= 3; ++step) spools.AppendStep(kRank, step);
  ObserveAll(&outbox, kRank);
  Deliver(&outbox, &coordinator);
  coordinator.applied[kRank].resize(1);
  spools.AppendStep(kRank, 4);
  ObserveAll(&outbox, kRank);
  REQUIRE(outbox.Next());
  outbox.OnReport(kRank, absl::FailedPreconditionError("must go on at seq 2, got 4"), {});
  Deliver(&outbox, &coordinator);
  CHECK(coordinator.applied[kRank].size() == 4);
}

TEST_CASE("The exit of a rank that left none waits until its spool is read to the end") {
  MemorySpools spools;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  spools.AppendStep(kRank, 7);
  outbox.End(kRank, Killed(), absl::UnixEpoch());
  CHECK_FALSE(outbox.position(kRank).ended);
  REQUIRE(outbox.Observe(kRank).ok());
  CHECK_FALSE(outbox.position(kRank).ended);
  REQUIRE(outbox.Observe(kRank).ok());
  CHECK(outbox.position(kRank).ended);
  CHECK(outbox.position(kRank).spool_seq == 2);
  const std::optional<OutboxCall> call = outbox.Next();
  REQUIRE(call);
  CHECK(std::get<v1::ReportEventsRequest>(call->request).events(1).exited().step() == 7);
}

TEST_CASE("A damaged spool ends with the daemon's exit behind its last good event") {
  MemorySpools spools;
  ModelCoordinator coordinator;
  Outbox outbox("w", "s", &spools);
  outbox.Add(kRank);
  spools.AppendStep(kRank, 7);
  spools.damaged.insert(kRank);
  REQUIRE(outbox.Observe(kRank).ok());
  CHECK(outbox.Observe(kRank).status().code() == absl::StatusCode::kDataLoss);
  outbox.End(kRank, Killed(), absl::UnixEpoch());
  CHECK_FALSE(outbox.Observe(kRank).ok());
  Deliver(&outbox, &coordinator);
  REQUIRE(coordinator.applied[kRank].size() == 2);
  CHECK(coordinator.applied[kRank][1].has_exited());
}

TEST_CASE("Confirmed deletions are sent until they are answered") {
  MemorySpools spools;
  Outbox outbox("w", "s", &spools);
  v1::CheckpointDeletion deletion;
  deletion.set_run("k3v9x2mq");
  deletion.set_folder("k3v9x2mq/e1/step-3");
  outbox.ConfirmDeletion(deletion);
  outbox.ConfirmDeletion(deletion);
  std::optional<OutboxCall> call = outbox.Next();
  REQUIRE(call);
  CHECK(std::get<v1::ReportEventsRequest>(call->request).deleted_size() == 1);
  CHECK_FALSE(outbox.Next());
  outbox.OnReport(call->rank, absl::UnavailableError("down"), {});
  call = outbox.Next();
  REQUIRE(call);
  outbox.OnReport(call->rank, absl::OkStatus(), {});
  CHECK_FALSE(outbox.Next());
  CHECK(outbox.idle());
}

}  // namespace ddl::agent
