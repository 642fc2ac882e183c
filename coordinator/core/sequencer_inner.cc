#include "coordinator/core/sequencer_inner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/digest.h"
#include "common/logging.h"
#include "common/names.h"
#include "common/series.h"
#include "coordinator/core/decide.h"
#include "coordinator/core/inventory.h"
#include "coordinator/core/serialize.h"

namespace ddl::coordinator {
namespace {

constexpr int kRoundsOfDecisions = 64;

// Fresh bits for each round, all from one number.
uint64_t EntropyOfRound(uint64_t entropy, int round) {
  return entropy ^ (static_cast<uint64_t>(round) * 0xD1B54A32D192ED03);
}

}  // namespace

v1::Event Sequencer::Inner::Envelope(const Caller& caller, bool by_caller) const {
  return MakeEvent(core.state(), caller.now, by_caller ? caller.principal : "");
}

absl::Status Sequencer::Inner::Record(const v1::Event& event) {
  std::string bytes = SerializeDeterministically(event);
  if (bytes.size() > settings.record_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a journal record must be at most ", settings.record_bytes, " bytes, got ", bytes.size()));
  }
  absl::StatusOr<Effects> effects = core.Apply(event);
  if (!effects.ok()) return effects.status();
  open.events.push_back(std::move(bytes));
  ++events_since_snapshot;
  const auto append = [](auto* to, auto& from) { to->insert(to->end(), from.begin(), from.end()); };
  changes.changed = true;
  append(&changes.changed_runs, effects->changed_runs);
  append(&changes.changed_experiments, effects->changed_experiments);
  append(&changes.transitions, effects->transitions);
  return absl::OkStatus();
}

void Sequencer::Inner::MustRecord(const v1::Event& event) {
  const absl::Status status = Record(event);
  if (!status.ok()) {
    DDL_LOG(Error) << "our own fact is refused: " << status << ": " << event.ShortDebugString();
  }
  DDL_CHECK(status.ok());
}

bool Sequencer::Inner::RecordThoseThatFit(const std::vector<v1::Event>& events) {
  bool any = false;
  for (const v1::Event& event : events) any = Record(event).ok() || any;
  return any;
}

void Sequencer::Inner::Settle(const Caller& caller) {
  for (int round = 0; round < kRoundsOfDecisions; ++round) {
    const std::vector<v1::Event> facts =
        core.Decide(caller.now, EntropyOfRound(caller.entropy, round));
    if (facts.empty()) return;
    for (const v1::Event& fact : facts) MustRecord(fact);
  }
}

absl::Status Sequencer::Inner::CheckRequestId(const std::string& request_id) const {
  if (!request_id.empty() && request_id.size() <= settings.request_id_bytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "request_id must have 1 to ", settings.request_id_bytes, " bytes, got ", request_id.size()));
}

absl::StatusOr<bool> Sequencer::Inner::FindReply(const std::string& method,
                                                 const std::string& request_id,
                                                 const google::protobuf::Message& request,
                                                 const Caller& caller,
                                                 google::protobuf::Message* response) {
  const absl::Status status = CheckRequestId(request_id);
  if (!status.ok()) return status;
  const StoredReply* reply = nullptr;
  absl::StatusOr<std::optional<StoredReply>> stored = std::optional<StoredReply>();
  const auto it = open_replies.find({caller.principal, request_id});
  if (it != open_replies.end()) {
    reply = &it->second;
  } else {
    stored = store.FindReply(caller.principal, request_id);
    if (!stored.ok()) return stored.status();
    if (stored->has_value()) reply = &**stored;
  }
  if (reply == nullptr) return false;
  if (reply->method != method ||
      reply->request_sha256 != Sha256Hex(SerializeDeterministically(request))) {
    return absl::AlreadyExistsError(absl::StrCat(
        "request_id ", Quoted(request_id), " was used for another request (", reply->method, ")"));
  }
  if (!response->ParseFromString(reply->response)) {
    return absl::DataLossError(
        absl::StrCat("the stored answer to request_id ", Quoted(request_id), " is not readable"));
  }
  return true;
}

void Sequencer::Inner::KeepReply(const std::string& method, const std::string& request_id,
                                 const google::protobuf::Message& request, const Caller& caller,
                                 const google::protobuf::Message& response) {
  open_replies[{caller.principal, request_id}] = {caller.principal,
                                                  request_id,
                                                  method,
                                                  Sha256Hex(SerializeDeterministically(request)),
                                                  SerializeDeterministically(response),
                                                  caller.now};
}

absl::StatusOr<const v1::WorkerRecord*> Sequencer::Inner::CheckSession(
    const std::string& worker, const std::string& session) const {
  const v1::WorkerRecord* record = FindWorker(core.state(), worker);
  if (record == nullptr || record->session() != session ||
      record->state() == v1::WORKER_STATE_LOST) {
    return absl::FailedPreconditionError(
        absl::StrCat("worker ", Quoted(worker), " has no such session: register again"));
  }
  return record;
}

void Sequencer::Inner::ApplyInventory(const std::string& worker,
                                      const v1::HeartbeatRequest& request, const Caller& caller) {
  const v1::Event envelope = Envelope(caller, /*by_caller=*/true);
  const State& state = core.state();
  const v1::WorkerRecord& record = state.workers.at(worker);
  const std::string reason = ReasonToHold(state, request.inventory(), request.term_seen());
  if (!reason.empty()) {
    if (record.hold() && record.hold_reason() == reason) return;
    v1::Event event = envelope;
    event.mutable_worker_reported()->set_name(worker);
    event.mutable_worker_reported()->set_hold(true);
    event.mutable_worker_reported()->set_reason(reason);
    MustRecord(event);
    return;
  }
  // A heartbeat sent before the worker heard this term may be older than one of the last term.
  if (request.term_seen() != state.term) return;
  const auto applied_seq = [this](const std::string& run, uint64_t epoch, uint32_t rank) {
    return AppliedSeq(run, epoch, rank).value_or(0);
  };
  bool changed = RecordThoseThatFit(
      FactsAboutRanks(state, record, request.inventory(), applied_seq, envelope));
  for (const v1::Event& fact : FactsAboutSlots(state, record, request.inventory(), envelope)) {
    MustRecord(fact);
    changed = true;
  }
  if (changed) Settle(caller);
}

absl::StatusOr<uint64_t> Sequencer::Inner::AppliedSeq(const std::string& run, uint64_t epoch,
                                                      uint32_t rank) {
  const RankKey key{run, epoch, rank};
  const auto it = applied.find(key);
  if (it != applied.end()) return it->second;
  absl::StatusOr<uint64_t> stored = store.DurableSeq(run, epoch, rank);
  if (stored.ok()) applied[key] = *stored;
  return stored;
}

absl::Status Sequencer::Inner::AddSteps(const v1::AttemptRecord& attempt, const std::string& run,
                                        std::vector<v1::StepRecord> steps) {
  if (steps.empty()) return absl::OkStatus();
  if (series.count(run) == 0) {
    absl::StatusOr<std::vector<std::string>> names = store.SeriesNames(run);
    if (!names.ok()) return names.status();
    series[run] = {names->begin(), names->end()};
  }
  std::set<std::string>& known = series[run];
  for (v1::StepRecord& step : steps) {
    google::protobuf::RepeatedPtrField<v1::Sample> kept;
    for (v1::Sample& sample : *step.mutable_samples()) {
      std::string key = series::Key(
          sample.name(), {sample.layer(), sample.sublayer(), sample.bucket(), sample.phase()});
      const bool fits = known.size() < settings.series_per_run || known.count(key) > 0;
      if (fits) known.insert(std::move(key));
      if (fits) *kept.Add() = std::move(sample);
      dropped_samples += fits ? 0 : 1;
    }
    *step.mutable_samples() = std::move(kept);
  }
  open.metrics.push_back({run, attempt.epoch(), attempt.attempt(), std::move(steps)});
  return absl::OkStatus();
}

absl::Status Sequencer::Inner::CheckWritable() const {
  if (!disk_full) return absl::OkStatus();
  return absl::ResourceExhaustedError("the journal's disk is full: nothing can be changed");
}

}  // namespace ddl::coordinator
