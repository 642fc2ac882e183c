#include "tests/sim/gang.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace ddl::sim {

Gang::Gang(EventQueue* queue, Random* random, Tally* tally, Storage* storage, const bool* rough)
    : queue_(*queue), random_(*random), tally_(*tally), storage_(*storage), rough_(*rough) {}

void Gang::Join(const std::shared_ptr<Gang>& gang, const std::shared_ptr<RankProcess>& process) {
  gang->ranks_[process->key.rank] = process;
  // Some take long to load, and some die while they do.
  const uint64_t slowest = gang->random_.Chance(80) ? 60'000 : 2'000;
  gang->queue_.After(gang->random_.Millis(100, slowest), [gang, process] {
    if (gang->rough_ && process->alive && gang->random_.Chance(20)) {
      gang->tally_.Count(Fault::kRankKilled);
      Kill(process.get(), 11);
    }
    if (process->alive) gang->Restore(process.get());
    if (process->alive && process->key.rank == 0) gang->Step(gang);
  });
}

void Gang::Kill(RankProcess* process, int signal) {
  if (!process->alive) return;
  process->alive = false;
  process->end.signal = signal;
}

v1::RankEvent* Gang::Append(RankProcess* process) {
  process->spool.emplace_back();
  v1::RankEvent& event = process->spool.back();
  event.set_seq(process->spool.size());
  event.mutable_time()->set_seconds(absl::ToInt64Seconds(queue_.now()));
  return &event;
}

void Gang::Exit(RankProcess* process, v1::ExitClass exit_class, int code,
                const std::string& message) {
  if (!process->alive) return;
  v1::RankExited* exited = Append(process)->mutable_exited();
  exited->set_class_(exit_class);
  exited->set_exit_code(code);
  exited->set_message(message);
  exited->set_step(step_);
  process->synced = process->spool.size();
  process->alive = false;
  process->end.exit_code = code;
}

void Gang::ExitAll(v1::ExitClass exit_class, int code, const std::string& message) {
  for (auto& [rank, process] : ranks_) Exit(process.get(), exit_class, code, message);
}

void Gang::Restore(RankProcess* process) {
  int64_t step = 0;
  std::string folder;
  for (const v1::CommittedCheckpoint& listed : process->launch.checkpoints()) {
    const auto found = storage_.folders.find(listed.folder());
    if (found != storage_.folders.end() && !found->second.corrupt) {
      step = found->second.step;
      folder = listed.folder();
      break;
    }
    if (process->key.rank != 0) continue;
    v1::CheckpointRejected* rejected = Append(process)->mutable_checkpoint_rejected();
    rejected->set_folder(listed.folder());
    rejected->set_step(listed.step());
    rejected->set_message("its digest is wrong");
  }
  if (folder.empty() && process->launch.checkpoints_size() > 0) {
    Exit(process, v1::EXIT_CLASS_CHECKPOINT, 1, "no checkpoint is good");
    return;
  }
  v1::RankStarted* started = Append(process)->mutable_started();
  started->set_pid(process->identity.pid);
  started->set_resumed_step(step);
  started->set_resumed_from(folder);
  process->started = true;
  if (process->key.rank == 0) step_ = step;
}

int64_t Gang::TotalSteps(const RankProcess& process) const {
  const v1::TrainSpec& train = process.launch.spec().train();
  return static_cast<int64_t>(train.tokens() / train.global_batch_tokens());
}

bool Gang::AllRun() const {
  const auto& zero = ranks_.at(0);
  if (ranks_.size() < zero->launch.world_size()) return false;
  return std::all_of(ranks_.begin(), ranks_.end(), [](const auto& entry) {
    return entry.second->alive && entry.second->started;
  });
}

void Gang::Checkpoint(RankProcess* zero, bool final) {
  if (random_.Chance(30) && !final) {
    tally_.Count(Fault::kCheckpointWriteFailed);
    v1::CheckpointFailed* failed = Append(zero)->mutable_checkpoint_failed();
    failed->set_step(step_);
    failed->set_phase("write");
    failed->set_reason("disk_full");
    return;
  }
  const std::string folder = absl::StrCat(agent::ToString(zero->key.attempt), "/step-", step_);
  // An attempt writes a folder once; a second drain at the same step has it already.
  if (!storage_.folders.emplace(folder, StoredCheckpoint{step_, false}).second) return;
  v1::CheckpointPrepared* prepared = Append(zero)->mutable_checkpoint_prepared();
  prepared->set_step(step_);
  prepared->set_folder(folder);
  prepared->set_manifest_sha256(Sha256Hex(folder));
  prepared->set_final(final);
  zero->synced = zero->spool.size();
}

void Gang::Step(const std::shared_ptr<Gang>& self) {
  RankProcess* zero = ranks_.at(0).get();
  if (!zero->alive || zero->hung) return;
  const auto again = [this, self](absl::Duration delay) {
    queue_.After(delay, [self] { self->Step(self); });
  };
  const bool peer_died = std::any_of(ranks_.begin(), ranks_.end(),
                                     [](const auto& entry) { return !entry.second->alive; });
  if (peer_died) {
    ExitAll(v1::EXIT_CLASS_INFRASTRUCTURE, 1, "a peer is gone");
    return;
  }
  const bool draining = std::any_of(ranks_.begin(), ranks_.end(),
                                    [](const auto& entry) { return entry.second->draining; });
  const bool all_run = AllRun();
  if (draining && rough_ && random_.Chance(100)) {
    tally_.Count(Fault::kRankUserFailure);
    Exit(zero, v1::EXIT_CLASS_USER, 2, "loss is not finite");
    return;
  }
  if (draining) {
    if (all_run && step_ > 0) Checkpoint(zero, /*final=*/false);
    ExitAll(v1::EXIT_CLASS_PREEMPTED, 75, "drained");
    return;
  }
  if (!all_run) {
    again(absl::Milliseconds(500));
    return;
  }
  if (step_ < TotalSteps(*zero)) {
    ++step_;
    v1::StepRecord* record = Append(zero)->mutable_step();
    record->set_step(step_);
    record->set_tokens(step_ *
                       static_cast<int64_t>(zero->launch.spec().train().global_batch_tokens()));
    v1::Sample* sample = record->add_samples();
    sample->set_name("train_loss");
    sample->set_value(1.0 / static_cast<double>(step_));
  }
  const bool last = step_ >= TotalSteps(*zero);
  const v1::ExperimentSpec& spec = zero->launch.spec();
  const auto every =
      static_cast<int64_t>(spec.checkpoint().every_tokens() / spec.train().global_batch_tokens());
  if (last || step_ % std::max<int64_t>(every, 1) == 0) Checkpoint(zero, last);
  if (last) {
    ExitAll(v1::EXIT_CLASS_SUCCESS, 0, "");
    return;
  }
  again(random_.Millis(400, 1200));
}

}  // namespace ddl::sim
