// The coordinator's behaviour without threads, clock, gRPC or SQL: requests become facts, facts are
// applied and journalled, answers wait for the journal. The service's commit loop and the simulator
// drive this same class.
//
// Used by one thread at a time. A mutating call changes memory at once and adds to the open
// transaction; its answer may leave the process only after a later Flush returned OK.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/core/core.h"
#include "coordinator/core/liveness.h"
#include "coordinator/core/store.h"
#include "proto/ddl/v1/experiments.pb.h"
#include "proto/ddl/v1/workers.pb.h"

namespace ddl::coordinator {

struct SequencerSettings {
  CoreSettings core;
  LivenessSettings liveness;
  absl::Duration heartbeat = absl::Seconds(2);
  absl::Duration orphan_ttl = absl::Hours(1);
  absl::Duration drain_grace = absl::Seconds(60);
  uint32_t events_per_report = 1000;
  uint32_t trials_per_sweep = 100'000;
  uint32_t runs_per_answer = 1000;
  uint32_t slots_per_worker = 1024;
  uint32_t request_id_bytes = 128;
  uint64_t record_bytes = 1 << 20;  // Of one journal record.
  uint32_t series_per_run = 1000;
  uint64_t events_per_snapshot = 10'000;
};

struct Caller {
  std::string principal;
  absl::Time now;         // Wall clock: for records and people.
  absl::Duration uptime;  // CLOCK_BOOTTIME or its like: all that liveness is judged by.
  uint64_t entropy = 0;   // 64 fresh random bits for each call.
};

// What is known of a worker beyond the journal; forgotten at a restart.
struct WorkerPulse {
  absl::Time last_heartbeat = absl::InfinitePast();
  v1::HostUsage usage;
};

// The rules that a submission keeps or breaks whatever the state is. Pure: any thread may ask. A
// sweep of 100,000 arms takes more than a second.
absl::Status CheckSubmission(const v1::SubmitExperimentRequest& request);

class Sequencer {
 public:
  // Replays the journal of `store`, which must outlive this, and opens the next term. The term is
  // not durable before the first Flush. kDataLoss for a journal that does not replay.
  static absl::StatusOr<Sequencer> Recover(Store* store, const SequencerSettings& settings,
                                           const Caller& caller);
  Sequencer(Sequencer&&) noexcept;
  Sequencer& operator=(Sequencer&&) noexcept;
  ~Sequencer();

  // kInvalidArgument names every field at fault. kResourceExhausted: no placement could hold it and
  // `queue` is not set. kAlreadyExists: this request_id was used for another request.
  absl::StatusOr<v1::SubmitExperimentResponse> Submit(const v1::SubmitExperimentRequest& request,
                                                      const Caller& caller);
  // As above with what CheckSubmission said of this request, for callers that asked it beforehand,
  // outside of this object's thread.
  absl::StatusOr<v1::SubmitExperimentResponse> Submit(const v1::SubmitExperimentRequest& request,
                                                      const Caller& caller,
                                                      const absl::Status& checked);
  // All selected runs or none: kFailedPrecondition names the first whose state has no such arrow.
  absl::StatusOr<v1::ChangeRunsResponse> Cancel(const v1::ChangeRunsRequest& request,
                                                const Caller& caller);
  absl::StatusOr<v1::ChangeRunsResponse> Pause(const v1::ChangeRunsRequest& request,
                                               const Caller& caller);
  absl::StatusOr<v1::ChangeRunsResponse> Resume(const v1::ChangeRunsRequest& request,
                                                const Caller& caller);

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request,
                                                const Caller& caller);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                  const Caller& caller);
  absl::StatusOr<v1::ReportEventsResponse> ReportEvents(const v1::ReportEventsRequest& request,
                                                        const Caller& caller);
  absl::StatusOr<v1::CommitCheckpointResponse> CommitCheckpoint(
      const v1::CommitCheckpointRequest& request, const Caller& caller);

  // Twice a second: liveness and what the core decides by itself.
  void Tick(const Caller& caller);

  // Makes all changes so far durable, then writes a snapshot when one is due. kResourceExhausted
  // for a full disk: nothing is lost, mutating calls are refused until a later Flush succeeds, and
  // answers given since the last good Flush must not be sent (send this status). After any other
  // error the process must end.
  absl::Status Flush();

  // Version of the state (State::version) up to which everything is durable.
  uint64_t committed_version() const;
  const Core& core() const;
  // Null for a worker that has not been heard in this term.
  const WorkerPulse* Pulse(const std::string& worker) const;
  // Runs and experiments that changed since the last call of this, sorted; for watchers, after
  // Flush.
  Effects TakeChanges();
  // Samples refused because their run has its full number of series, since the start.
  uint64_t dropped_samples() const;

 private:
  struct Inner;
  enum class Verb { kCancel, kPause, kResume };
  absl::StatusOr<v1::ChangeRunsResponse> Change(Verb which, const v1::ChangeRunsRequest& request,
                                                const Caller& caller);
  explicit Sequencer(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

// The core that the journal of `store` describes, with no new term opened.
absl::StatusOr<Core> ReplayJournal(Store* store, const CoreSettings& settings);

}  // namespace ddl::coordinator
