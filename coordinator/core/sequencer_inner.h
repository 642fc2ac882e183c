// What a Sequencer holds, and the steps that its calls share. Private to sequencer*.cc.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinator/core/sequencer.h"

namespace ddl::coordinator {

struct Sequencer::Inner {
  Inner(Store* its_store, const SequencerSettings& its_settings, Core its_core,
        absl::Duration started)
      : store(*its_store),
        settings(its_settings),
        core(std::move(its_core)),
        liveness(its_settings.liveness, started) {}

  // ---- Facts ----
  v1::Event Envelope(const Caller& caller, bool by_caller) const;
  // Applies and journals the fact, or changes nothing.
  absl::Status Record(const v1::Event& event);
  // For facts that follow from the state: failing is our bug.
  void MustRecord(const v1::Event& event);
  // Records what still fits the state; facts made moot by earlier ones are left out.
  bool RecordThoseThatFit(const std::vector<v1::Event>& events);
  // Decides until nothing is left to decide.
  void Settle(const Caller& caller);

  // ---- Replies ----
  absl::Status CheckRequestId(const std::string& request_id) const;
  // True: `response` is the first answer to this request. kAlreadyExists for another request.
  absl::StatusOr<bool> FindReply(const std::string& method, const std::string& request_id,
                                 const google::protobuf::Message& request, const Caller& caller,
                                 google::protobuf::Message* response);
  void KeepReply(const std::string& method, const std::string& request_id,
                 const google::protobuf::Message& request, const Caller& caller,
                 const google::protobuf::Message& response);

  // ---- Workers ----
  // The worker that speaks; kFailedPrecondition: register again.
  absl::StatusOr<const v1::WorkerRecord*> CheckSession(const std::string& worker,
                                                       const std::string& session) const;
  void ApplyInventory(const std::string& worker, const v1::HeartbeatRequest& request,
                      const Caller& caller);
  absl::StatusOr<uint64_t> AppliedSeq(const std::string& run, uint64_t epoch, uint32_t rank);
  absl::Status CheckReport(const v1::ReportEventsRequest& request) const;
  // The seq up to which the rank's events are applied now.
  absl::StatusOr<uint64_t> ApplyRankEvents(const v1::ReportEventsRequest& request,
                                           const v1::Event& envelope);
  absl::Status AddSteps(const v1::AttemptRecord& attempt, const std::string& run,
                        std::vector<v1::StepRecord> steps);
  // kResourceExhausted while the journal cannot be written.
  absl::Status CheckWritable() const;

  struct Told {
    std::string session;
    uint64_t sequence = 0;
  };
  using RankKey = std::tuple<std::string, uint64_t, uint32_t>;  // Run, epoch, rank.

  Store& store;
  SequencerSettings settings;
  Core core;
  Liveness liveness;

  Transaction open;
  std::map<std::pair<std::string, std::string>, StoredReply> open_replies;
  std::map<RankKey, uint64_t> open_cursors;
  bool disk_full = false;
  uint64_t committed_version = 0;
  uint64_t events_since_snapshot = 0;

  std::map<std::string, Told> told;                     // By worker.
  std::map<std::string, WorkerPulse> pulses;            // By worker.
  std::map<RankKey, uint64_t> applied;                  // Cache of cursors.
  std::map<std::string, std::set<std::string>> series;  // Cache of each run's series.
  uint64_t dropped_samples = 0;
  Effects changes;
};

}  // namespace ddl::coordinator
