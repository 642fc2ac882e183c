#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl::sim {
namespace {

constexpr uint64_t kFewestEvents = 2000;
constexpr uint64_t kFewestFaults = 10;
constexpr absl::Duration kShortestWar = absl::Seconds(90);
constexpr absl::Duration kLongestPeace = absl::Hours(3);

}  // namespace

Progress& CurrentProgress() {
  static Progress progress;
  return progress;
}

World::World(uint64_t seed)
    : random_(seed * 0x9E3779B97F4A7C15 + 1),
      network_(&queue_, &random_, &tally_),
      coordinator_(&queue_, &random_, &tally_),
      client_(&queue_, &random_, &tally_, &network_, &coordinator_),
      invariants_(&tally_, &coordinator_.disk()) {
  coordinator_.on_change = [this](const coordinator::Core& core,
                                  const coordinator::Effects& effects) {
    invariants_.OnChange(core, effects);
  };
  coordinator_.on_commit = [this](const coordinator::Core& core) {
    invariants_.OnCommit(core, client_);
  };
  coordinator_.on_crash = [this] {
    if (!rough_) return;
    const uint64_t longest = random_.Chance(200) ? 70'000 : 8'000;
    queue_.After(random_.Millis(100, longest), [this] {
      if (!coordinator_.up()) coordinator_.Start();
    });
  };
  BuildWorkers();
}

void World::BuildWorkers() {
  const auto gang_of = [this](const agent::AttemptKey& key) {
    std::shared_ptr<Gang>& gang = gangs_[key];
    if (gang == nullptr)
      gang = std::make_shared<Gang>(&queue_, &random_, &tally_, &storage_, &rough_);
    return gang;
  };
  // Most clusters are small, so that a run of many schedules stays short.
  const uint64_t size = random_.Below(1000);
  const uint64_t count = size < 880   ? random_.Between(3, 8)
                         : size < 970 ? random_.Between(9, 30)
                                      : random_.Between(kFewestOfLarge, 80);
  for (uint64_t i = 0; i < count; ++i) {
    const int index = static_cast<int>(i);
    const auto slots = static_cast<uint32_t>(random_.Between(1, 4));
    auto host = std::make_unique<Host>(absl::StrCat("w", index), gang_of, &storage_, &tally_);
    host->launch_fails = [this] { return rough_ && random_.Chance(15); };
    host->on_delete = [this](const std::string& folder) { CheckDeletion(folder); };
    auto worker = std::make_unique<WorkerNode>(index, slots, &queue_, &random_, &tally_, &network_,
                                               &coordinator_, std::move(host));
    worker->on_committed = [this](const std::string& run, const std::string& folder) {
      invariants_.Committed(run, folder);
    };
    worker->on_acknowledged = [this](const agent::RankKey& rank, uint64_t seq) {
      invariants_.Acknowledged(rank, seq);
    };
    workers_.push_back(std::move(worker));
    slots_ += slots;
  }
}

// A rank of the current attempt that has not restored yet may need any checkpoint of its list.
void World::CheckDeletion(const std::string& folder) {
  const coordinator::Core* core = coordinator_.core();
  if (core == nullptr) return;
  for (const auto& worker : workers_) {
    for (const RankProcess* process : worker->host().Living()) {
      const v1::RunRecord* run = coordinator::FindRun(core->state(), process->key.attempt.run);
      const bool current = run != nullptr && run->epoch() == process->key.attempt.epoch &&
                           coordinator::LiveAttempt(*run) != nullptr;
      if (!current || process->started) continue;
      for (const v1::CommittedCheckpoint& listed : process->launch.checkpoints()) {
        if (listed.folder() != folder) continue;
        tally_.Break(absl::StrCat("checkpoint ", folder, " is deleted while ",
                                  agent::ToString(process->key), " may restore from it"));
      }
    }
  }
}

RankProcess* World::PickLiving() {
  std::vector<RankProcess*> living;
  for (const auto& worker : workers_) {
    for (RankProcess* process : worker->host().Living()) living.push_back(process);
  }
  return living.empty() ? nullptr : living[random_.Below(living.size())];
}

void World::KillARank() {
  RankProcess* process = PickLiving();
  if (process == nullptr) return;
  tally_.Count(Fault::kRankKilled);
  tally_.Trace("kill ", agent::ToString(process->key));
  Gang::Kill(process, 11);
}

void World::FailARank(Fault fault) {
  RankProcess* process = PickLiving();
  if (process == nullptr) return;
  tally_.Count(fault);
  tally_.Trace("fail ", agent::ToString(process->key), " ", static_cast<int>(fault));
  if (fault == Fault::kRankTerminated) {
    process->draining = true;
    return;
  }
  if (fault == Fault::kRankHang) {
    process->hung = true;
    // A watchdog kills it after a while.
    const auto gang = gangs_.at(process->key.attempt);
    const uint32_t rank = process->key.rank;
    queue_.After(random_.Millis(5'000, 40'000),
                 [gang, rank] { Gang::Kill(gang->ranks().at(rank).get(), 9); });
    return;
  }
  const bool memory = fault == Fault::kRankOutOfMemory;
  gangs_.at(process->key.attempt)
      ->Exit(process, memory ? v1::EXIT_CLASS_OUT_OF_MEMORY : v1::EXIT_CLASS_USER, memory ? 1 : 2,
             memory ? "out of memory" : "loss is not finite");
}

void World::CutLink() {
  const int index = static_cast<int>(random_.Below(workers_.size()));
  const uint64_t kind = random_.Below(3);
  static constexpr Fault kFaults[] = {Fault::kPartitionFull, Fault::kPartitionUp,
                                      Fault::kPartitionDown};
  tally_.Count(kFaults[kind]);
  Link& link = network_.link(index);
  link.up_cut = kind != 2;
  link.down_cut = kind != 1;
  tally_.Trace("cut ", index, " ", kind);
  queue_.After(random_.Millis(3'000, 75'000), [this, index] { network_.link(index) = Link(); });
}

void World::CrashCoordinator() {
  if (!coordinator_.up()) return;
  if (random_.Chance(700)) {
    coordinator_.CrashInCommit();
  } else {
    coordinator_.Crash();
  }
}

void World::RestartWorker(bool reboot) {
  WorkerNode* worker = workers_[random_.Below(workers_.size())].get();
  if (!worker->up()) return;
  tally_.Count(reboot ? Fault::kHostReboot : Fault::kDaemonCrash);
  tally_.Trace(reboot ? "reboot " : "crash ", worker->index());
  if (reboot) {
    worker->Reboot();
  } else {
    worker->Crash();
  }
  queue_.After(random_.Millis(500, reboot ? 50'000 : 20'000), [worker] {
    if (!worker->up()) worker->Start();
  });
}

void World::FillDisk() {
  tally_.Count(Fault::kDiskFull);
  coordinator_.disk().set_full(true);
  queue_.After(random_.Millis(1'000, 20'000), [this] { coordinator_.disk().set_full(false); });
}

void World::CorruptCheckpoint() {
  if (storage_.folders.empty()) return;
  auto chosen = storage_.folders.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.Below(storage_.folders.size())));
  chosen->second.corrupt = true;
  tally_.Count(Fault::kCheckpointCorrupt);
  tally_.Trace("corrupt ", chosen->first);
}

void World::InjectFault() {
  ++faults_injected_;
  switch (random_.Below(17)) {
    case 0:
    case 1: CrashCoordinator(); break;
    case 2:
    case 3: RestartWorker(/*reboot=*/false); break;
    case 4: RestartWorker(/*reboot=*/true); break;
    case 5:
    case 6:
    case 7: KillARank(); break;
    case 8: FailARank(Fault::kRankUserFailure); break;
    case 9: FailARank(Fault::kRankOutOfMemory); break;
    case 10: FailARank(Fault::kRankHang); break;
    case 11:
    case 12: CutLink(); break;
    case 13: FillDisk(); break;
    case 14: CorruptCheckpoint(); break;
    case 15: FailARank(Fault::kRankTerminated); break;
    default:
      tally_.Count(Fault::kClockJump);
      coordinator_.JumpClock(random_.Chance(500) ? absl::Hours(1) : -absl::Hours(1));
  }
}

void World::PlanFaults() {
  queue_.After(random_.Millis(1'000, 9'000), [this] {
    if (!rough_) return;
    InjectFault();
    PlanFaults();
  });
}

void World::MakePeace() {
  rough_ = false;
  network_.set_rough(false);
  coordinator_.disk().set_full(false);
  for (const auto& worker : workers_) {
    network_.link(worker->index()) = Link();
    if (!worker->up()) worker->Start();
  }
  coordinator_.Disarm();
  if (!coordinator_.up()) coordinator_.Start();
  tally_.Trace("peace");
}

bool World::HasEnded() {
  const coordinator::Core* core = coordinator_.core();
  if (core == nullptr || !client_.idle()) return false;
  const coordinator::State& state = core->state();
  // A lost worker keeps its slots until it is back and has told what it holds.
  const auto is_back = [&state](const auto& worker) {
    return worker.second.state() == v1::WORKER_STATE_READY &&
           worker.second.reported_term() == state.term;
  };
  return state.live_experiments.empty() && state.live_runs.empty() &&
         std::all_of(state.workers.begin(), state.workers.end(), is_back) &&
         std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->idle(); });
}

bool World::Step() {
  queue_.RunNext();
  CurrentProgress().event = queue_.count();
  tally_.Trace(absl::ToInt64Nanoseconds(queue_.now()));
  return tally_.broken().empty();
}

Outcome World::Run() {
  coordinator_.Start();
  for (const auto& worker : workers_) worker->Start();
  const uint64_t submissions = random_.Between(3, 10);
  const uint32_t most_ranks = std::min<uint32_t>(slots_, 5);
  for (uint64_t i = 0; i < submissions; ++i) {
    queue_.After(random_.Millis(100, 80'000), [this, most_ranks] { client_.Submit(most_ranks); });
  }
  for (uint64_t i = 0; i < 2 * submissions; ++i) {
    queue_.After(random_.Millis(5'000, 90'000),
                 [this] { client_.ChangeSomething(coordinator_.core()); });
  }
  PlanFaults();
  bool holds = true;
  while (holds && (queue_.count() < kFewestEvents || queue_.now() < kShortestWar ||
                   faults_injected_ < kFewestFaults)) {
    holds = Step();
  }
  if (holds) MakePeace();
  const absl::Duration peace_since = queue_.now();
  absl::Duration asked = peace_since;
  while (holds && !HasEnded()) {
    holds = Step();
    if (queue_.now() - peace_since > kLongestPeace) {
      tally_.Break("something never ended after the faults had stopped");
      break;
    }
    if (queue_.now() - asked > absl::Seconds(20) && coordinator_.up() && client_.idle()) {
      asked = queue_.now();
      client_.ResumeAll(coordinator_.core()->state());
    }
  }
  if (tally_.broken().empty()) {
    invariants_.AtEnd(*coordinator_.core(), client_);
    coordinator_.Crash();  // Compares the replayed state with memory once more.
    tally_.Trace("end ", queue_.count());
  }
  Outcome outcome;
  outcome.broken = tally_.broken();
  outcome.events = queue_.count();
  outcome.workers = workers_.size();
  outcome.trace = tally_.FinishTrace();
  outcome.faults = tally_.by_fault();
  outcome.transitions = tally_.by_transition();
  return outcome;
}

Outcome RunSchedule(uint64_t seed) {
  CurrentProgress().seed = seed;
  CurrentProgress().event = 0;
  return World(seed).Run();
}

std::string Name(Fault fault) {
  switch (fault) {
    case Fault::kMessageLost: return "message_lost";
    case Fault::kMessageDuplicated: return "message_duplicated";
    case Fault::kMessageDelayed: return "message_delayed";
    case Fault::kMessageReordered: return "message_reordered";
    case Fault::kPartitionFull: return "partition_full";
    case Fault::kPartitionUp: return "partition_to_coordinator";
    case Fault::kPartitionDown: return "partition_from_coordinator";
    case Fault::kCoordinatorCrash: return "coordinator_crash";
    case Fault::kCommitLost: return "commit_lost";
    case Fault::kCommitTorn: return "commit_torn";
    case Fault::kCommitKept: return "commit_kept";
    case Fault::kDiskFull: return "journal_disk_full";
    case Fault::kClockJump: return "clock_jump";
    case Fault::kDaemonCrash: return "daemon_crash";
    case Fault::kHostReboot: return "host_reboot";
    case Fault::kSpoolTailLost: return "spool_tail_lost";
    case Fault::kLaunchFailed: return "launch_failed";
    case Fault::kRankKilled: return "rank_killed";
    case Fault::kRankUserFailure: return "rank_user_failure";
    case Fault::kRankOutOfMemory: return "rank_out_of_memory";
    case Fault::kRankTerminated: return "rank_terminated";
    case Fault::kRankHang: return "rank_hang";
    case Fault::kCheckpointCorrupt: return "checkpoint_corrupt";
    case Fault::kCheckpointWriteFailed: return "checkpoint_write_failed";
    case Fault::kCount: break;
  }
  return "";
}

}  // namespace ddl::sim
