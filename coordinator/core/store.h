// What the core asks of durable storage. No implementation is assumed: SQLite is one
// (coordinator/store), the simulator's disk another (tests/sim).
//
// One Commit is atomic and durable when it returns OK, and either wholly there or wholly absent
// after a crash. One thread calls Commit and WriteSnapshot; reads may come from any thread and see
// committed data only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::coordinator {

// The first answer to a mutating call, given again to a repeat.
struct StoredReply {
  std::string principal;
  std::string request_id;
  std::string method;
  std::string request_sha256;
  std::string response;  // Serialized message.
  absl::Time time;
};

// Metric records of one attempt. The key of a point is (run, epoch, step, series); a second value
// for a key is dropped and counted.
struct MetricRecords {
  std::string run;
  uint64_t epoch = 0;
  uint32_t attempt = 0;
  std::vector<v1::StepRecord> records;
};

// How far the events of one rank are applied: later deliveries of the same events change nothing.
struct EventCursor {
  std::string run;
  uint64_t epoch = 0;
  uint32_t rank = 0;
  uint64_t seq = 0;
};

struct Transaction {
  std::vector<std::string> events;  // Serialized v1::Event records of the journal, in order.
  std::vector<MetricRecords> metrics;
  std::vector<EventCursor> cursors;
  std::vector<StoredReply> replies;
  bool empty() const;
};

struct Recovery {
  uint64_t snapshot_seq = 0;  // Journal record that the snapshot includes; 0 when there is none.
  std::string snapshot;       // Serialized v1::Snapshot.
  std::vector<std::string> events;  // Records after it, in order.
};

// Latest values of a run, kept with its points.
struct RunProgress {
  int64_t step = 0;
  int64_t tokens = 0;
  double flops = 0;
  double active_seconds = 0;
  double train_loss = 0;  // NaN before the first.
  double val_loss = 0;
  double best_val_loss = 0;
};

// Points of the lineage: steps up to `restored_step` of an attempt's predecessor count, later ones
// of it are superseded. `epochs` maps each epoch of the run to the step at which its successor
// resumed (no entry: the last attempt, all of it counts).
struct Lineage {
  std::map<uint64_t, int64_t> superseded_after;
};

class Store {
 public:
  virtual ~Store() = default;

  // kResourceExhausted for a full disk: nothing was written and the caller may go on. Any other
  // error means that durability is unknown: the process must end.
  virtual absl::Status Commit(const Transaction& transaction) = 0;

  // kDataLoss with the place for a damaged record that is not the last.
  virtual absl::StatusOr<Recovery> Recover() = 0;

  // Replaces older snapshots. `seq` is the journal record it includes.
  virtual absl::Status WriteSnapshot(uint64_t seq, const std::string& snapshot) = 0;

  // Number of the last committed journal record.
  virtual uint64_t JournalSeq() const = 0;

  virtual absl::StatusOr<std::optional<StoredReply>> FindReply(const std::string& principal,
                                                               const std::string& request_id) = 0;
  virtual absl::StatusOr<uint64_t> DurableSeq(const std::string& run, uint64_t epoch,
                                              uint32_t rank) = 0;

  virtual absl::StatusOr<std::vector<std::string>> SeriesNames(const std::string& run) = 0;
  // Points of `series` in order of (step, epoch), in chunks of at most 1,000; a false return of
  // `take` ends the read.
  virtual absl::Status ReadSeries(const std::string& run, const std::string& series,
                                  const Lineage& lineage,
                                  const std::function<bool(const v1::SeriesChunk&)>& take) = 0;
  virtual absl::StatusOr<std::map<std::string, RunProgress>> Progress(
      const std::vector<std::string>& runs) = 0;
};

}  // namespace ddl::coordinator
