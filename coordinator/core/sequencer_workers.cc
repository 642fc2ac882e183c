// The worker protocol: registration, heartbeats, events, checkpoints.
#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "common/status.h"
#include "coordinator/core/desired.h"
#include "coordinator/core/epoch.h"
#include "coordinator/core/sequencer.h"
#include "coordinator/core/sequencer_inner.h"

namespace ddl::coordinator {
namespace {

absl::Status CheckRegistration(const v1::RegisterRequest& request, uint32_t slot_limit) {
  DDL_RETURN_IF_ERROR(Annotate(CheckName(request.worker()), "worker"));
  DDL_RETURN_IF_ERROR(Annotate(CheckName(request.pool()), "pool"));
  if (request.session().empty() || request.boot_id().empty()) {
    return absl::InvalidArgumentError("session and boot_id must not be empty");
  }
  const auto slots = static_cast<uint32_t>(request.slots_size());
  if (slots < 1 || slots > slot_limit) {
    return absl::InvalidArgumentError(
        absl::StrCat("a worker must have 1 to ", slot_limit, " slots, got ", slots));
  }
  std::set<uint32_t> indexes;
  for (const v1::Slot& slot : request.slots()) {
    if (!indexes.insert(slot.index()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("slot indexes must differ, got ", slot.index(), " twice"));
    }
  }
  return absl::OkStatus();
}

v1::WorkerRegistered RegistrationFact(const v1::RegisterRequest& request) {
  v1::WorkerRegistered fact;
  fact.set_name(request.worker());
  fact.set_session(request.session());
  fact.set_boot_id(request.boot_id());
  fact.set_pool(request.pool());
  *fact.mutable_labels() = request.labels();
  *fact.mutable_slots() = request.slots();
  fact.set_data_address(request.data_address());
  fact.set_http_address(request.http_address());
  fact.set_version(request.version());
  return fact;
}

// Another daemon that is alive has the name: another boot speaks, or one that was replaced.
absl::Status CheckNameIsFree(const v1::WorkerRecord* known, const v1::RegisterRequest& request,
                             bool fresh) {
  if (known == nullptr || !fresh || known->session() == request.session()) {
    return absl::OkStatus();
  }
  if (known->boot_id() == request.boot_id() && known->replaced_session() != request.session()) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat(
      "another worker that is alive has the name ", Quoted(request.worker()),
      ": give this one another name, or wait until that one has been silent for some seconds"));
}

// Events behind `applied`, which must go on from there without a gap.
absl::StatusOr<std::vector<const v1::RankEvent*>> NewEvents(const v1::ReportEventsRequest& request,
                                                            uint64_t applied) {
  std::vector<const v1::RankEvent*> events;
  uint64_t expected = applied + 1;
  for (const v1::RankEvent& event : request.events()) {
    if (event.seq() < expected) continue;
    if (event.seq() > expected) {
      return absl::FailedPreconditionError(
          absl::StrCat("events of rank ", request.rank(), " of run ", request.run(), " epoch ",
                       request.epoch(), " must go on at seq ", expected, ", got ", event.seq()));
    }
    events.push_back(&event);
    ++expected;
  }
  return events;
}

absl::Status CheckPrepared(const v1::CommitCheckpointRequest& request) {
  const v1::CheckpointPrepared& prepared = request.checkpoint();
  const std::string folder = absl::StrCat(request.run(), "/e", request.epoch(), "/");
  DDL_RETURN_IF_ERROR(Annotate(CheckPath(prepared.folder()), "checkpoint.folder"));
  if (!absl::StartsWith(prepared.folder(), folder)) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.folder must be below the attempt's own ", folder, ", got ",
                     Quoted(prepared.folder())));
  }
  const std::string& digest = prepared.manifest_sha256();
  const bool hex = std::all_of(digest.begin(), digest.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
  });
  if (digest.size() != 64 || !hex) {
    return absl::InvalidArgumentError(absl::StrCat(
        "checkpoint.manifest_sha256 must be 64 lower-case hex digits, got ", Quoted(digest)));
  }
  if (prepared.step() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.step must be at least 1, got ", prepared.step()));
  }
  return absl::OkStatus();
}

const v1::CheckpointRecord* FindCheckpoint(const v1::RunRecord& run, const std::string& folder) {
  for (const v1::CheckpointRecord& checkpoint : run.checkpoints()) {
    if (checkpoint.folder() == folder) return &checkpoint;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<v1::RegisterResponse> Sequencer::Register(const v1::RegisterRequest& request,
                                                         const Caller& caller) {
  Inner& self = *inner_;
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  v1::RegisterResponse response;
  DDL_ASSIGN_OR_RETURN(const bool repeated, self.FindReply("Register", request.request_id(),
                                                           request, caller, &response));
  if (repeated) return response;
  DDL_RETURN_IF_ERROR(CheckRegistration(request, self.settings.slots_per_worker));
  const State& state = self.core.state();
  if (!request.cluster_id().empty() && request.cluster_id() != state.cluster_id) {
    return absl::FailedPreconditionError(
        absl::StrCat("worker ", request.worker(), " belongs to cluster ",
                     Quoted(request.cluster_id()), ", this is ", state.cluster_id));
  }
  const v1::WorkerRecord* known = FindWorker(state, request.worker());
  DDL_RETURN_IF_ERROR(
      CheckNameIsFree(known, request, self.liveness.IsFresh(request.worker(), caller.uptime)));
  const bool same = known != nullptr && known->session() == request.session() &&
                    known->boot_id() == request.boot_id() &&
                    known->state() != v1::WORKER_STATE_LOST;
  if (!same) {
    v1::Event event = self.Envelope(caller, /*by_caller=*/true);
    *event.mutable_worker_registered() = RegistrationFact(request);
    DDL_RETURN_IF_ERROR(self.Record(event));
  }
  self.liveness.Heard(request.worker(), caller.uptime);
  self.pulses[request.worker()].last_heartbeat = caller.now;
  response.set_cluster_id(state.cluster_id);
  response.set_term(state.term);
  response.set_heartbeat_seconds(absl::ToDoubleSeconds(self.settings.heartbeat));
  response.set_orphan_ttl_seconds(absl::ToDoubleSeconds(self.settings.orphan_ttl));
  self.KeepReply("Register", request.request_id(), request, caller, response);
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> Sequencer::Heartbeat(const v1::HeartbeatRequest& request,
                                                           const Caller& caller) {
  Inner& self = *inner_;
  const absl::StatusOr<const v1::WorkerRecord*> found =
      self.CheckSession(request.worker(), request.session());
  if (!found.ok()) return found.status();
  Inner::Told& told = self.told[request.worker()];
  if (told.session != request.session()) told = {request.session(), 0};
  if (request.sequence() < told.sequence) {
    return absl::AbortedError(absl::StrCat("heartbeat ", request.sequence(), " of worker ",
                                           request.worker(), " is older than ", told.sequence));
  }
  const bool first = request.sequence() > told.sequence;
  self.liveness.Heard(request.worker(), caller.uptime);
  self.pulses[request.worker()] = {caller.now, request.usage()};
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  told.sequence = request.sequence();
  const State& state = self.core.state();
  if (state.workers.at(request.worker()).state() == v1::WORKER_STATE_SUSPECT) {
    v1::Event event = self.Envelope(caller, /*by_caller=*/true);
    event.mutable_worker_state_changed()->set_name(request.worker());
    event.mutable_worker_state_changed()->set_state(v1::WORKER_STATE_READY);
    self.MustRecord(event);
  }
  if (first) self.ApplyInventory(request.worker(), request, caller);
  return DesiredSet(state, state.workers.at(request.worker()), request.inventory(),
                    self.settings.drain_grace);
}

absl::Status Sequencer::Inner::CheckReport(const v1::ReportEventsRequest& request) const {
  const State& state = core.state();
  // Deletions are confirmed without a rank: they outlive attempts.
  const bool of_a_rank = request.events_size() > 0 || request.deleted_size() == 0;
  if (of_a_rank) DDL_RETURN_IF_ERROR(CheckEpoch(state, request.run(), request.epoch()));
  DDL_RETURN_IF_ERROR(CheckSession(request.worker(), request.session()).status());
  if (static_cast<uint32_t>(request.events_size()) > settings.events_per_report) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", settings.events_per_report,
                                                   " events a call, got ", request.events_size()));
  }
  if (!of_a_rank) return absl::OkStatus();
  const v1::AttemptRecord& attempt = *FindAttempt(state.runs.at(request.run()), request.epoch());
  if (request.rank() >= static_cast<uint32_t>(attempt.ranks_size()) ||
      attempt.ranks(static_cast<int>(request.rank())).worker() != request.worker()) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", request.rank(), " of run ",
                                                   request.run(), " is not on worker ",
                                                   request.worker()));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Sequencer::Inner::ApplyRankEvents(const v1::ReportEventsRequest& request,
                                                           const v1::Event& envelope) {
  const RankKey key{request.run(), request.epoch(), request.rank()};
  DDL_ASSIGN_OR_RETURN(const uint64_t before,
                       AppliedSeq(request.run(), request.epoch(), request.rank()));
  DDL_ASSIGN_OR_RETURN(const std::vector<const v1::RankEvent*> events, NewEvents(request, before));
  if (events.empty()) return before;
  std::vector<v1::StepRecord> steps;
  std::vector<v1::Event> facts;
  for (const v1::RankEvent* event : events) {
    if (event->has_step()) steps.push_back(event->step());
    // A prepared checkpoint becomes part of the run by CommitCheckpoint alone.
    if (event->has_step() || event->has_checkpoint_prepared()) continue;
    facts.push_back(envelope);
    v1::RankEventApplied* fact = facts.back().mutable_rank_event_applied();
    fact->set_run(request.run());
    fact->set_epoch(request.epoch());
    fact->set_rank(request.rank());
    *fact->mutable_event() = *event;
  }
  const v1::RunRecord& run = core.state().runs.at(request.run());
  DDL_RETURN_IF_ERROR(AddSteps(*FindAttempt(run, request.epoch()), run.id(), std::move(steps)));
  // An event that the attempt's end has made moot, or of a kind not known here, is left out.
  RecordThoseThatFit(facts);
  applied[key] = events.back()->seq();
  open_cursors[key] = events.back()->seq();
  return events.back()->seq();
}

absl::StatusOr<v1::ReportEventsResponse> Sequencer::ReportEvents(
    const v1::ReportEventsRequest& request, const Caller& caller) {
  Inner& self = *inner_;
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  DDL_RETURN_IF_ERROR(self.CheckReport(request));
  const v1::Event envelope = self.Envelope(caller, /*by_caller=*/true);
  v1::ReportEventsResponse response;
  if (request.events_size() > 0 || request.deleted_size() == 0) {
    DDL_ASSIGN_OR_RETURN(const uint64_t applied, self.ApplyRankEvents(request, envelope));
    response.set_durable_seq(applied);
  }
  std::vector<v1::Event> facts;
  for (const v1::CheckpointDeletion& deletion : request.deleted()) {
    facts.push_back(envelope);
    facts.back().mutable_checkpoint_deleted()->set_run(deletion.run());
    facts.back().mutable_checkpoint_deleted()->set_folder(deletion.folder());
  }
  self.RecordThoseThatFit(facts);  // A deletion that was confirmed before changes nothing.
  return response;
}

absl::StatusOr<v1::CommitCheckpointResponse> Sequencer::CommitCheckpoint(
    const v1::CommitCheckpointRequest& request, const Caller& caller) {
  Inner& self = *inner_;
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  v1::CommitCheckpointResponse response;
  DDL_ASSIGN_OR_RETURN(const bool repeated, self.FindReply("CommitCheckpoint", request.request_id(),
                                                           request, caller, &response));
  if (repeated) return response;
  const State& state = self.core.state();
  DDL_RETURN_IF_ERROR(CheckEpoch(state, request.run(), request.epoch()));
  DDL_RETURN_IF_ERROR(self.CheckSession(request.worker(), request.session()).status());
  DDL_RETURN_IF_ERROR(CheckPrepared(request));
  const v1::RunRecord& run = state.runs.at(request.run());
  const v1::CheckpointRecord* known = FindCheckpoint(run, request.checkpoint().folder());
  if (known != nullptr && known->manifest_sha256() != request.checkpoint().manifest_sha256()) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint ",
                                                   Quoted(request.checkpoint().folder()),
                                                   " is committed with another manifest"));
  }
  if (known == nullptr) {
    v1::Event event = self.Envelope(caller, /*by_caller=*/true);
    v1::CheckpointCommitted* fact = event.mutable_checkpoint_committed();
    fact->set_run(request.run());
    fact->set_epoch(request.epoch());
    *fact->mutable_checkpoint() = request.checkpoint();
    DDL_RETURN_IF_ERROR(self.Record(event));
    self.Settle(caller);
  }
  self.KeepReply("CommitCheckpoint", request.request_id(), request, caller, response);
  return response;
}

}  // namespace ddl::coordinator
