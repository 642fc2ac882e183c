// The simulated disk of the coordinator: a Store whose crashes lose, tear or keep the transaction
// that was being written.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinator/core/store.h"

namespace ddl::sim {

// What becomes of a transaction whose commit a crash interrupts.
enum class CrashOutcome { kLost, kTorn, kKept };

class JournalDisk : public coordinator::Store {
 public:
  absl::Status Commit(const coordinator::Transaction& transaction) override;
  absl::StatusOr<coordinator::Recovery> Recover() override;
  absl::Status WriteSnapshot(uint64_t seq, const std::string& snapshot) override;
  uint64_t JournalSeq() const override { return journal_.size(); }
  absl::StatusOr<std::optional<coordinator::StoredReply>> FindReply(
      const std::string& principal, const std::string& request_id) override;
  absl::StatusOr<uint64_t> DurableSeq(const std::string& run, uint64_t epoch,
                                      uint32_t rank) override;
  absl::StatusOr<std::vector<std::string>> SeriesNames(const std::string& run) override;
  absl::Status ReadSeries(const std::string& run, const std::string& series,
                          const coordinator::Lineage& lineage,
                          const std::function<bool(const v1::SeriesChunk&)>& take) override;
  absl::StatusOr<std::map<std::string, coordinator::RunProgress>> Progress(
      const std::vector<std::string>& runs) override;

  // The next commit is interrupted by a crash.
  void ArmCrash(CrashOutcome outcome) { crash_ = outcome; }
  void Disarm() { crash_.reset(); }
  // Journal records of the interrupted commit.
  const std::vector<std::string>& interrupted() const { return interrupted_; }
  void set_full(bool full) { full_ = full; }

  // Points that were committed a second time: the coordinator is to prevent it.
  uint64_t doubled_points() const { return doubled_points_; }
  // Whether the run's lineage has each step from 1 to `last` exactly once.
  bool HasEachStepOnce(const std::string& run, const coordinator::Lineage& lineage,
                       int64_t last) const;
  uint64_t snapshots() const { return snapshots_; }

 private:
  using RankKey = std::tuple<std::string, uint64_t, uint32_t>;
  void Write(const coordinator::Transaction& transaction);

  std::vector<std::string> journal_;
  bool torn_tail_ = false;
  uint64_t snapshot_seq_ = 0;
  std::string snapshot_;
  uint64_t snapshots_ = 0;
  std::map<std::pair<std::string, std::string>, coordinator::StoredReply> replies_;
  std::map<RankKey, uint64_t> cursors_;
  // (run, epoch, step) -> value, for the one series that modelled ranks record.
  std::map<std::string, std::map<std::pair<uint64_t, int64_t>, double>> points_;
  uint64_t doubled_points_ = 0;
  std::optional<CrashOutcome> crash_;
  std::vector<std::string> interrupted_;
  bool full_ = false;
};

}  // namespace ddl::sim
