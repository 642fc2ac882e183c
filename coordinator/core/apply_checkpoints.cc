// Facts about checkpoints: WRITING -> COMMITTED -> DELETING -> GONE.
#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/lineage.h"

namespace ddl::coordinator {
namespace {

constexpr int kGoneKept = 64;

v1::CheckpointRecord* MutableCheckpoint(v1::RunRecord* run, const std::string& folder) {
  for (v1::CheckpointRecord& checkpoint : *run->mutable_checkpoints()) {
    if (checkpoint.folder() == folder) return &checkpoint;
  }
  return nullptr;
}

template <typename Fact>
absl::StatusOr<v1::CheckpointRecord*> InState(Change& change, const Fact& fact,
                                              v1::CheckpointState state) {
  v1::RunRecord* run = MutableRun(change, fact.run());
  v1::CheckpointRecord* checkpoint =
      run == nullptr ? nullptr : MutableCheckpoint(run, fact.folder());
  if (checkpoint == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("run ", Quoted(fact.run()), " has no checkpoint ", Quoted(fact.folder())));
  }
  if (checkpoint->state() != state) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint ", fact.folder(), " is ", Word(checkpoint->state()), ", not ", Word(state)));
  }
  return checkpoint;
}

// Records of deleted checkpoints are history; a long run keeps the newest of them.
void DropOldest(v1::RunRecord* run) {
  int gone = 0;
  for (int i = run->checkpoints_size() - 1; i >= 0; --i) {
    if (run->checkpoints(i).state() != v1::CHECKPOINT_STATE_GONE || ++gone <= kGoneKept) continue;
    run->mutable_checkpoints()->erase(run->checkpoints().begin() + i);
  }
}

}  // namespace

absl::Status ApplyFact(Change& change, const v1::CheckpointCommitted& fact) {
  absl::StatusOr<v1::RunRecord*> run = RunOfEpoch(change, fact.run(), fact.epoch());
  if (!run.ok()) return run.status();
  const v1::CheckpointPrepared& prepared = fact.checkpoint();
  if (MutableCheckpoint(*run, prepared.folder()) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("checkpoint ", Quoted(prepared.folder()), " is committed already"));
  }
  v1::AttemptRecord* attempt = MutableAttempt(*run, fact.epoch());
  v1::CheckpointRecord* checkpoint = (*run)->add_checkpoints();
  checkpoint->set_epoch(fact.epoch());
  checkpoint->set_step(prepared.step());
  checkpoint->set_tokens(prepared.tokens());
  checkpoint->set_folder(prepared.folder());
  checkpoint->set_manifest_sha256(prepared.manifest_sha256());
  checkpoint->set_bytes(prepared.bytes());
  checkpoint->set_worker(attempt->ranks(0).worker());
  *checkpoint->mutable_committed() = change.event.time();
  checkpoint->set_state(v1::CHECKPOINT_STATE_WRITING);
  MoveCheckpoint(change, checkpoint, v1::CHECKPOINT_STATE_COMMITTED);
  attempt->set_last_step(prepared.step());
  (*run)->set_failures_in_a_row(0);
  Touch(change, **run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::CheckpointRetired& fact) {
  absl::StatusOr<v1::CheckpointRecord*> checkpoint =
      InState(change, fact, v1::CHECKPOINT_STATE_COMMITTED);
  if (!checkpoint.ok()) return checkpoint.status();
  v1::RunRecord* run = MutableRun(change, fact.run());
  bool superfluous = false;
  for (const v1::CheckpointRecord* candidate : Superfluous(*run)) {
    superfluous = superfluous || candidate == *checkpoint;
  }
  if (!superfluous) {
    return absl::FailedPreconditionError(
        absl::StrCat("checkpoint ", fact.folder(), " is still needed"));
  }
  MoveCheckpoint(change, *checkpoint, v1::CHECKPOINT_STATE_DELETING);
  Touch(change, *run);
  return absl::OkStatus();
}

absl::Status ApplyFact(Change& change, const v1::CheckpointDeleted& fact) {
  absl::StatusOr<v1::CheckpointRecord*> checkpoint =
      InState(change, fact, v1::CHECKPOINT_STATE_DELETING);
  if (!checkpoint.ok()) return checkpoint.status();
  MoveCheckpoint(change, *checkpoint, v1::CHECKPOINT_STATE_GONE);
  v1::RunRecord* run = MutableRun(change, fact.run());
  DropOldest(run);
  Touch(change, *run);
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
